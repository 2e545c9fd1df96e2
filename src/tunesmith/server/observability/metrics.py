"""Metrics: counters and histograms of a server, and gauges read at each scrape, for Prometheus.

Events are counted as they happen, in this process. The queue, the runners and the disk are read at each scrape. Labels
have few values: models beyond the first ``MAX_MODELS`` share one, and paths are not labels. docs/monitoring.md lists
all metrics.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

import tunesmith
from tunesmith.errors import INTERNAL_ERROR, DatabaseError, error_codes
from tunesmith.jobs.job_run import JobEnd
from tunesmith.jobs.live_service import LiveEnd
from tunesmith.jobs.queue import CRASHED
from tunesmith.jobs.runners.tasks import LoadedModel
from tunesmith.jobs.store import QueueDepth
from tunesmith.server.middleware.stack import RequestSummary
from tunesmith.server.observability.health import Health

OTHER = "other"
# Each label value is a time series that Prometheus stores for good.
MAX_MODELS = 50
OUR_KINDS = error_codes() | {INTERNAL_ERROR, CRASHED.kind}
"""The failure kinds allowed as labels; generators of other packages may invent any."""

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
JOB_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
REAL_TIME_FACTORS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20)


class Bounded:
    """A limiter of label values: the first ``most`` values pass, later ones become ``other``."""

    def __init__(self, most: int, known: Collection[str] = ()) -> None:
        self._most = most
        self._known = set(known)

    def __call__(self, value: str) -> str:
        """Return the label for a value."""
        if value not in self._known and len(self._known) < self._most:
            self._known.add(value)
        return value if value in self._known else OTHER


class Metrics:
    """The counters of a server; ``registry`` holds them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.model = Bounded(MAX_MODELS)
        self._kind = Bounded(len(OUR_KINDS), OUR_KINDS)
        Info("tunesmith", "The version.", registry=self.registry).info({"version": tunesmith.__version__})
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._answered = self._histogram(
            "http_request_seconds", "From a request to the end of its response.", ["dialect", "status"], REQUEST_SECONDS
        )
        self._jobs = self._counter("jobs", "Runs of jobs that ended, by outcome.", ["dialect", "model", "outcome"])
        self._failures = self._counter("job_failures", "Failed jobs, by reason.", ["model", "kind"])
        self._waits = self._histogram("job_wait_seconds", "From submission to start.")
        self._loads = self._histogram("model_load_seconds", "Time that a job waited for its model to load.")
        self._generations = self._histogram("job_generation_seconds", "From the loaded model to the finished file.")
        self._factors = self._histogram(
            "job_real_time_factor", "Seconds of work per second of music (real-time factor).", buckets=REAL_TIME_FACTORS
        )
        self._audio = self._counter("audio_seconds", "Seconds of music generated.")
        self._tokens = self._counter("tokens", "Audio tokens sampled by language models for finished music.")
        self._live = self._counter("live_streams", "Live streams that ended, by reason.", ["model", "reason"])
        self._live_gaps = self._counter("live_gaps", "Gaps in live streams because the model was too slow.")
        self._live_audio = self._counter("live_audio_seconds", "Seconds of music sent in live streams.")
        self._removed = self._counter("housekeeping_removed", "Files removed because of age or size.", ["what"])
        self._limited = self._counter("limited", "Connections and uploads that a limit refused or ended.", ["reason"])
        self._rounds = self._counter("housekeeping_rounds", "Cleanup rounds, by outcome.", ["outcome"])

    def answered(self, request: RequestSummary) -> None:
        """Count a request."""
        self._answered.labels(request.dialect, str(request.status)).observe(request.seconds)

    def ended(self, job: JobEnd) -> None:
        """Count the end of the work on a job."""
        model = self.model(job.model)
        self._jobs.labels(job.dialect, model, job.outcome.value).inc()
        self._waits.labels(model).observe(job.wait_seconds)
        if job.kind is not None:
            self._failures.labels(model, self._kind(job.kind)).inc()
        if job.load_seconds is not None:
            self._loads.labels(model).observe(job.load_seconds)
        if job.generate_seconds is not None and job.audio_seconds > 0:
            self._generations.labels(model).observe(job.generate_seconds)
            self._factors.labels(model).observe(job.generate_seconds / job.audio_seconds)
        self._audio.labels(model).inc(job.audio_seconds)
        self._tokens.labels(model).inc(job.codes)

    def live_ended(self, end: LiveEnd) -> None:
        """Count the end of a live stream."""
        model = self.model(end.model)
        self._live.labels(model, end.reason).inc()
        self._live_audio.labels(model).inc(end.seconds)
        self._live_gaps.labels(model).inc(end.gaps)

    def cleaned(self, removed: Mapping[str, int], outcome: str) -> None:
        """Count a cleanup round, and the files it removed by kind."""
        self._rounds.labels(outcome).inc()
        for what, number in removed.items():
            self._removed.labels(what).inc(number)

    def limited(self, reason: str) -> None:
        """Count a refusal by a limit."""
        self._limited.labels(reason).inc()

    def _counter(self, name: str, about: str, labels: Collection[str] = ("model",)) -> Counter:
        return Counter(f"tunesmith_{name}", about, labels, registry=self.registry)

    def _histogram(
        self, name: str, about: str, labels: Collection[str] = ("model",), buckets: Collection[float] = JOB_SECONDS
    ) -> Histogram:
        return Histogram(f"tunesmith_{name}", about, labels, buckets=tuple(buckets), registry=self.registry)


@dataclass(frozen=True, slots=True)
class GaugeSources:
    """The sources of the gauges: ``depths`` reads the database, ``loaded`` must run on the event loop."""

    depths: Callable[[], Iterable[QueueDepth]]
    loaded: Callable[[], tuple[LoadedModel, ...]]
    health: Health
    folder: Path
    playing: Callable[[], int]


@dataclass(frozen=True, slots=True)
class _SnapshotCollector(Collector):
    """A snapshot of the sources as metrics. ``depths`` is None if the database was unreachable."""

    is_ready: bool
    depths: tuple[QueueDepth, ...] | None
    loaded: tuple[LoadedModel, ...]
    free_bytes: int | None
    playing: int
    name_of: Callable[[str], str]

    def collect(self) -> Iterator[Metric]:
        yield _gauge("ready", "Whether the server can serve.", {(): float(self.is_ready)})
        reached = float(self.depths is not None)
        yield _gauge("database_reached", "Whether the queue could be read from the database.", {(): reached})
        if self.depths is not None:
            yield from self._queue(self.depths)
        yield from self._runners()
        yield _gauge("live_streams_playing", "Live streams at present.", {(): float(self.playing)})
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
        return await asyncio.to_thread(self._render, problem is None, self._sources.loaded(), self._sources.playing())

    def _render(self, is_ready: bool, loaded: tuple[LoadedModel, ...], playing: int) -> bytes:
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
        now.register(_SnapshotCollector(is_ready, depths, loaded, free, playing, self._metrics.model))
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
