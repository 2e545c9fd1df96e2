"""The page of metrics says how the queue and the runners stand, also where the database does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tunesmith.errors import DatabaseError
from tunesmith.jobs.job import JobState
from tunesmith.jobs.runners.tasks import LoadedModel
from tunesmith.jobs.store import QueueDepth
from tunesmith.server.observability.health import Health, HealthProbes
from tunesmith.server.observability.metrics import MAX_MODELS, OTHER, GaugeSources, Metrics, MetricsCollector

Key = tuple[str, frozenset[tuple[str, str]]]


class Stage:
    """What the page is about."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.depths: list[QueueDepth] = []
        self.loaded: list[LoadedModel] = []
        self.is_stopping = False
        self.has_database = True

    def ask(self) -> Iterable[QueueDepth]:
        if not self.has_database:
            raise DatabaseError("here", "is gone")
        return self.depths

    def page(self) -> dict[Key, float]:
        """Return the value of each sample, read as Prometheus reads it."""
        return asyncio.run(self._page())

    async def _page(self) -> dict[Key, float]:
        health = Health(HealthProbes(lambda: self.is_stopping, lambda: None, self.ask, self.folder))
        standing = MetricsCollector(
            Metrics(), GaugeSources(self.ask, lambda: tuple(self.loaded), health, self.folder, lambda: 0)
        )
        families = text_string_to_metric_families((await standing.render()).decode())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


def key(name: str, **labels: str) -> Key:
    return f"tunesmith_{name}", frozenset(labels.items())


def test_the_queue_is_told_by_model_and_state_with_its_oldest_job(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.depths = [QueueDepth("tiny", JobState.QUEUED, 3, 12.5), QueueDepth("tiny", JobState.RUNNING, 1, 20.0)]
    page = stage.page()
    assert page[key("queue_jobs", model="tiny", state="queued")] == 3
    assert page[key("queue_jobs", model="tiny", state="running")] == 1
    assert page[key("queue_oldest_seconds", model="tiny", state="queued")] == 12.5
    assert page[key("database_reached")] == page[key("ready")] == 1
    assert page[key("disk_free_bytes")] > 0


def test_the_processes_of_a_model_are_summed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.loaded = [
        LoadedModel("composer", 1, 100, 1, None),
        LoadedModel("composer", 2, 150, 0, 30.0),
        LoadedModel("tiny", 3, 1000, 0, None, loading_for=2.0),
    ]
    page = stage.page()
    assert page[key("runners", model="composer", state="busy")] == 1
    assert page[key("runners", model="composer", state="idle")] == 1
    assert page[key("runners", model="tiny", state="loading")] == 1
    assert page[key("runner_memory_bytes", model="composer")] == 250
    assert page[key("runner_jobs", model="composer")] == 1


def test_without_a_database_the_rest_is_told_and_that_it_is_missing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.depths, stage.has_database = [QueueDepth("tiny", JobState.QUEUED, 3, 12.5)], False
    stage.loaded = [LoadedModel("composer", 1, 100, 0, None)]
    page = stage.page()
    assert page[key("database_reached")] == page[key("ready")] == 0
    assert page[key("runner_memory_bytes", model="composer")] == 100
    assert not any(name == "tunesmith_queue_jobs" for name, _ in page)


def test_models_beyond_the_first_share_a_label_and_their_numbers_are_added(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.depths = [QueueDepth(f"m{number}", JobState.QUEUED, 1, float(number)) for number in range(MAX_MODELS + 10)]
    page = stage.page()
    assert page[key("queue_jobs", model=OTHER, state="queued")] == 10
    assert page[key("queue_oldest_seconds", model=OTHER, state="queued")] == MAX_MODELS + 9


def test_a_server_that_stops_is_not_ready_though_all_is_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.is_stopping = True
    page = stage.page()
    assert (page[key("ready")], page[key("database_reached")]) == (0, 1)
