"""The dashboard, the rules and the page on monitoring speak of metrics and labels that exist, and of all of them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tunesmith.jobs.job import JobState
from tunesmith.jobs.job_run import JobEnd, Outcome
from tunesmith.jobs.live_service import LiveEnd
from tunesmith.jobs.runners.tasks import LoadedModel
from tunesmith.jobs.store import QueueDepth
from tunesmith.server.apis.routing import API_BY_PREFIX
from tunesmith.server.middleware.stack import RequestSummary
from tunesmith.server.observability.health import Health, HealthProbes
from tunesmith.server.observability.metrics import GaugeSources, Metrics, MetricsCollector

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "monitoring.md").read_text(encoding="utf-8")

NAME = re.compile(r"\b(?:tunesmith|process|python)_\w+")
SELECTED = re.compile(r"(\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
ROW = re.compile(r"^\| `(tunesmith_\w+)` \| ([^|]*) \|", re.MULTILINE)
OF_HISTOGRAMS = re.compile(r"_(?:bucket|sum|count)$")
NOT_SHOWN = {"tunesmith_info", "tunesmith_database_reached"}

Series = Mapping[str, frozenset[str]]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Return the labels of each series of a server on which everything has happened."""
    metrics, folder = Metrics(), tmp_path_factory.mktemp("results")
    metrics.answered(RequestSummary("api", 200, 0.1))
    metrics.ended(JobEnd("tiny", "api", Outcome.SUCCEEDED, 1.0, 1.0, 1.0, audio_seconds=1.0, codes=1))
    metrics.ended(JobEnd("tiny", "api", Outcome.FAILED, 1.0, kind="Crashed"))
    metrics.live_ended(LiveEnd("tiny", "stopped", 1.0))
    metrics.cleaned({"results": 1}, "done")
    metrics.limited("headers")

    async def page() -> bytes:
        health = Health(HealthProbes(lambda: False, lambda: None, lambda: None, folder))
        depths, loaded = [QueueDepth("tiny", JobState.QUEUED, 1, 1.0)], (LoadedModel("tiny", 1, 1, 1, None),)
        sources = GaugeSources(lambda: depths, lambda: loaded, health, folder, lambda: 1)
        return await MetricsCollector(metrics, sources).render()

    families = text_string_to_metric_families(asyncio.run(page()).decode())
    found: dict[str, frozenset[str]] = {}
    for family in families:
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


def targets() -> Iterator[Mapping[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield from panel.get("targets", [])


def queries() -> Iterator[str]:
    """Give every expression of the dashboard, of its variables, and of the rules on the page."""
    yield from (target["expr"] for target in targets())
    yield from (one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query")
    for block in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL):
        groups = yaml.safe_load(block).get("groups", [])
        yield from (rule["expr"] for group in groups for rule in group["rules"])


def families(series: Series) -> set[str]:
    """Return the names of our metrics, a histogram's without its parts."""
    ours = {name for name in series if name.startswith("tunesmith_") and not name.endswith("_created")}
    return {OF_HISTOGRAMS.sub("", name) for name in ours}


def test_every_metric_that_is_queried_exists(series: Series) -> None:
    asked = {name for query in queries() for name in NAME.findall(query)}
    assert len(asked) > 20
    assert asked <= series.keys()


def test_every_label_that_is_queried_is_one_of_its_metric(series: Series) -> None:
    checked = 0
    for query in queries():
        names = NAME.findall(query)
        of_query = {"instance"}.union(*(series[name] for name in names))
        for name, inside in SELECTED.findall(query):
            selected = set(re.findall(r"(\w+)\s*[=!]~?", inside))
            assert selected <= series[name] | {"instance"}, query
            checked += len(selected)
        grouped = {label.strip() for labels in GROUPED.findall(query) for label in labels.split(",")}
        assert grouped <= of_query, query
    assert checked > 50
    for target in targets():
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= {"instance"}.union(*(series[name] for name in NAME.findall(target["expr"]))), target


def test_the_dashboard_shows_every_metric_of_ours(series: Series) -> None:
    asked = {OF_HISTOGRAMS.sub("", name) for target in targets() for name in NAME.findall(target["expr"])}
    assert families(series) - asked == NOT_SHOWN


def test_the_page_lists_every_metric_with_its_labels(series: Series) -> None:
    listed = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(PAGE)}
    assert listed.keys() == families(series)
    for name, labels in listed.items():
        parts = [name, f"{name}_bucket"]
        told = {"le"}.union(*(series[part] for part in parts if part in series)) - {"le"}
        assert labels == told, name


def test_the_page_names_every_dialect_and_every_outcome() -> None:
    for value in {*API_BY_PREFIX.values(), *(one.value for one in Outcome), *(JobState.QUEUED.value, "busy")}:
        assert f"`{value}`" in PAGE, value


def test_the_panels_lie_side_by_side_and_have_ids_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }  # fmt: skip
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells
