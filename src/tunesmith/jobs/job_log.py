"""JobEventLog: a log line when a job starts and when it ends, and an event for metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tunesmith.jobs.job import Claim, Failure
from tunesmith.jobs.runners.pool import ProgressReport, TaskResult

log = logging.getLogger("tunesmith.job")


class Outcome(StrEnum):
    """How the run of a job ends: ``STOPPED`` if cancelled or its claim was lost, ``REQUEUED`` if its runner crashed.

    ``RELEASED`` returns to the queue because the server shuts down.
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    REQUEUED = "requeued"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of a run; seconds are None for stages that were not reached.

    ``load_seconds`` is set on the job that loaded the model, ``kind`` on a failure. ``codes`` counts the codes that a
    language model sampled; 0 for other generators.
    """

    model: str
    dialect: str
    outcome: Outcome
    wait_seconds: float
    load_seconds: float | None = None
    generate_seconds: float | None = None
    kind: str | None = None
    audio_seconds: float = 0.0
    codes: int = 0


class JobEventLog:
    """The log of job runs, with listeners for their ends. Used from one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listeners: list[Callable[[JobEnd], None]] = []

    def listen(self, hear: Callable[[JobEnd], None]) -> None:
        """Call ``hear`` at the end of each run."""
        self._listeners.append(hear)

    def begin(self, claim: Claim) -> JobRunLog:
        """Log the start of a run and return its log."""
        return JobRunLog(claim, self._clock, self._tell)

    def _tell(self, end: JobEnd) -> None:
        for hear in self._listeners:
            hear(end)


class JobRunLog:
    """The log of one run of a job."""

    def __init__(self, claim: Claim, clock: Callable[[], float], tell: Callable[[JobEnd], None]) -> None:
        self._job = claim.job
        self._clock = clock
        self._tell = tell
        self._load_seconds: float | None = None
        self._running_since: float | None = None
        about = {"wait_seconds": round(self._wait_seconds, 3), "attempt": claim.job.attempts}
        log.info("job started", extra={**self._names(), **about})

    def reported(self, progress: ProgressReport) -> None:
        """Record when the model is loaded and generation starts; later reports change nothing."""
        # Only the first report counts: the later ones are progress.
        if progress.running and self._running_since is None:
            self._running_since = self._clock()
            self._load_seconds = progress.loaded_seconds

    def succeeded(self, task_result: TaskResult) -> None:
        """Log success, with the duration of the audio and the number of codes."""
        settings = task_result.metadata.get("settings")
        # The metadata of a plugin may have any form.
        codes = settings.get("codes", 0) if isinstance(settings, dict) else 0
        end = replace(self._end(Outcome.SUCCEEDED), audio_seconds=task_result.duration, codes=codes)
        self._log_end(end, logging.INFO, {"audio_seconds": round(task_result.duration, 3)})

    def failed(self, failure: Failure, trace: str = "") -> None:
        """Log a failure; with a ``trace``, which marks a bug, as an error rather than a warning."""
        end = replace(self._end(Outcome.FAILED), kind=failure.kind)
        about = {"kind": failure.kind, "problem": failure.message} | ({"exception": trace} if trace else {})
        # A mistake of the caller is no error of the server.
        self._log_end(end, logging.ERROR if trace else logging.WARNING, about)

    def end(self, outcome: Outcome) -> None:
        """Log any other outcome."""
        self._log_end(self._end(outcome), logging.WARNING if outcome is Outcome.REQUEUED else logging.INFO, {})

    def _log_end(self, end: JobEnd, level: int, about: Mapping[str, object]) -> None:
        took = {} if end.generate_seconds is None else {"seconds": round(end.generate_seconds, 3)}
        log.log(level, "job %s", end.outcome.value, extra={**self._names(), **took, **about})
        self._tell(end)

    def _end(self, outcome: Outcome) -> JobEnd:
        since = self._running_since
        took = None if since is None else self._clock() - since
        return JobEnd(
            self._job.generated_by, self._job.dialect, outcome, self._wait_seconds, self._load_seconds, took
        )  # fmt: skip

    @property
    def _wait_seconds(self) -> float:
        return self._job.queued_seconds or 0.0

    def _names(self) -> dict[str, str]:
        return {"job_id": self._job.id, "model": self._job.generated_by, "dialect": self._job.dialect}
