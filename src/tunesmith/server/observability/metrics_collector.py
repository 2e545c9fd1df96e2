"""MetricsCollector: gauges of the queue, the runners and the disk, read at each scrape."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tunesmith.errors import DatabaseError
from tunesmith.jobs.runners.pool import LoadedModel
from tunesmith.jobs.store import QueueDepth
from tunesmith.server.observability.health import Health
from tunesmith.server.observability.metrics import Metrics


@dataclass(frozen=True, slots=True)
class GaugeSources:
    """The sources of the gauges: ``depths`` reads the database, ``loaded`` must run on the event loop."""

    depths: Callable[[], Iterable[QueueDepth]]
    loaded: Callable[[], tuple[LoadedModel, ...]]
    health: Health
    folder: Path


@dataclass(frozen=True, slots=True)
class _SnapshotCollector(Collector):
    """A snapshot of the sources as metrics. ``depths`` is None if the database was unreachable."""

    is_ready: bool
    depths: tuple[QueueDepth, ...] | None
    loaded: tuple[LoadedModel, ...]
    free_bytes: int | None
    name_of: Callable[[str], str]

    def collect(self) -> Iterator[Metric]:
        yield _gauge("ready", "Whether the server can serve.", {(): float(self.is_ready)})
        reached = float(self.depths is not None)
        yield _gauge("database_reached", "Whether the queue could be read from the database.", {(): reached})
        if self.depths is not None:
            yield from self._queue(self.depths)
        yield from self._runners()
        if self.free_bytes is not None:
            yield _gauge("disk_free_bytes", "Free bytes on the disk of the results.", {(): float(self.free_bytes)})

    def _queue(self, depths: tuple[QueueDepth, ...]) -> Iterator[Metric]:
        jobs: dict[tuple[str, ...], float] = defaultdict(float)
        oldest: dict[tuple[str, ...], float] = defaultdict(float)
        for one in depths:
            model = self.name_of(one.model)
            jobs[model, one.state.value] += one.jobs
            oldest[model, one.state.value] = max(oldest[model, one.state.value], one.oldest_seconds)
        labels = ("model", "state")
        yield _gauge("queue_jobs", "Unfinished jobs in the database, of all servers on it.", jobs, labels)
        yield _gauge("queue_oldest_seconds", "Age of the oldest of them.", oldest, labels)

    def _runners(self) -> Iterator[Metric]:
        sums: Mapping[str, dict[tuple[str, ...], float]] = {
            name: defaultdict(float) for name in ("runners", "memory", "tasks")
        }
        for one in self.loaded:
            model = self.name_of(one.model)
            state = "loading" if one.loading_for is not None else "busy" if one.busy else "idle"
            sums["runners"][model, state] += 1
            sums["memory"][model,] += one.memory_bytes
            sums["tasks"][model,] += one.busy
        yield _gauge("runners", "Processes that hold a model.", sums["runners"], ("model", "state"))
        yield _gauge("runner_memory_bytes", "Resident memory of those processes.", sums["memory"], ("model",))
        yield _gauge("runner_jobs", "Jobs that run in them.", sums["tasks"], ("model",))


class MetricsCollector:
    """A collector that reads all sources and renders the metrics page."""

    def __init__(self, metrics: Metrics, sources: GaugeSources) -> None:
        self._metrics = metrics
        self._sources = sources

    async def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        problem = await self._sources.health.problem()
        # The runner pool belongs to the event loop, but the database and the disk may block.
        return await asyncio.to_thread(self._render, problem is None, self._sources.loaded())

    def _render(self, is_ready: bool, loaded: tuple[LoadedModel, ...]) -> bytes:
        # A scrape must succeed without the database: that is when the metrics are needed most.
        try:
            depths: tuple[QueueDepth, ...] | None = tuple(self._sources.depths())
        except DatabaseError:
            depths = None
        try:
            free: int | None = shutil.disk_usage(self._sources.folder).free
        except OSError:
            free = None
        # A registry per scrape keeps no gauges of models that are unloaded by now.
        now = CollectorRegistry()
        now.register(_SnapshotCollector(is_ready, depths, loaded, free, self._metrics.model))
        return generate_latest(self._metrics.registry) + generate_latest(now)


def metrics_routes(collector: MetricsCollector, admin: Callable[..., object]) -> APIRouter:
    """Return the metrics route; ``admin`` is the dependency that admits admins only."""
    routes = APIRouter(tags=["Health"], dependencies=[Depends(admin)])

    @routes.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(await collector.render(), media_type=CONTENT_TYPE_LATEST)

    return routes


def _gauge(
    name: str, about: str, values: Mapping[tuple[str, ...], float], labels: tuple[str, ...] = ()
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tunesmith_{name}", about, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
