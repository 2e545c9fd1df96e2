"""Metrics: counters and histograms of a server for Prometheus; docs/monitoring.md lists them all.

Events are counted as they happen, in this process. The queue and the runners are read at each scrape
(``metrics_collector.py``). Labels have few values: models beyond the first ``MAX_MODELS`` share one, and paths are not
labels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Info
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

import tunesmith
from tunesmith.errors import INTERNAL_ERROR, error_codes
from tunesmith.jobs.job_run import JobEnd
from tunesmith.jobs.queue import CRASHED
from tunesmith.server.middleware.stack import RequestSummary

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
            "http_request_seconds", "From a request to the end of its answer.", ["dialect", "status"], REQUEST_SECONDS
        )
        self._jobs = self._counter("jobs", "Times that work on a job ended, by how.", ["dialect", "model", "outcome"])
        self._failures = self._counter("job_failures", "Jobs that failed, by why.", ["model", "kind"])
        self._waits = self._histogram("job_wait_seconds", "From being handed in to being taken up.")
        self._loads = self._histogram("model_load_seconds", "What loading a model took that a job waited for.")
        self._generations = self._histogram("job_generation_seconds", "From a loaded model to the finished file.")
        self._factors = self._histogram(
            "job_real_time_factor", "Seconds of work for a second of music.", buckets=REAL_TIME_FACTORS
        )
        self._audio = self._counter("audio_seconds", "Seconds of music made.")
        self._tokens = self._counter("tokens", "Audio tokens drawn by language models for finished music.")
        self._removed = self._counter("housekeeping_removed", "Files removed because of age or size.", ["what"])
        self._limited = self._counter("limited", "Connections and uploads that a limit refused or ended.", ["reason"])
        self._rounds = self._counter("housekeeping_rounds", "Rounds of housekeeping, by how they ended.", ["outcome"])

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
