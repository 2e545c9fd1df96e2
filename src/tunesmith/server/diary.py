"""JobDiary: writes a line when work on a job begins and ends, and tells what came of it to whoever counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tunesmith.jobs.job import Claim, Failure
from tunesmith.jobs.runners.pool import Made, Report

log = logging.getLogger("tunesmith.job")


class Outcome(StrEnum):
    """How work on a job ends: ``STOPPED`` if it was canceled or another server has it, ``REQUEUED`` if its runner died.

    ``RELEASED`` goes back into the queue because the server ends.
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    REQUEUED = "requeued"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class JobEnd:
    """Work on a job that is over; seconds are None where it did not come so far.

    ``load_seconds`` are told by the job that loaded the model. ``kind`` is that of a failure. ``codes`` are what a
    language model drew; 0 for other generators.
    """

    model: str
    dialect: str
    outcome: Outcome
    kind: str | None
    wait_seconds: float
    load_seconds: float | None
    generate_seconds: float | None
    audio_seconds: float
    codes: int


class JobDiary:
    """Used from one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._listeners: list[Callable[[JobEnd], None]] = []

    def listen(self, hear: Callable[[JobEnd], None]) -> None:
        """Call ``hear`` when work on a job is over."""
        self._listeners.append(hear)

    def begin(self, claim: Claim) -> DiaryEntry:
        """Write down that work on a job begins."""
        return DiaryEntry(claim, self._clock, self._tell)

    def _tell(self, end: JobEnd) -> None:
        for hear in self._listeners:
            hear(end)


class DiaryEntry:
    """What is written about one job."""

    def __init__(self, claim: Claim, clock: Callable[[], float], tell: Callable[[JobEnd], None]) -> None:
        self._job = claim.job
        self._clock = clock
        self._tell = tell
        self._load_seconds: float | None = None
        self._running_since: float | None = None
        about = {"wait_seconds": round(self._wait_seconds, 3), "attempt": claim.job.attempts}
        log.info("job started", extra={**self._names(), **about})

    def reported(self, told: Report) -> None:
        """Note when the model is loaded and works on it."""
        if told.running and self._running_since is None:
            self._running_since = self._clock()
            self._load_seconds = told.loaded_seconds

    def end(self, outcome: Outcome, made: Made | None = None) -> None:
        """Write down how it ended, other than in failure."""
        level = logging.WARNING if outcome is Outcome.REQUEUED else logging.INFO
        self._over(level, outcome, None, made)

    def failed(self, failure: Failure, trace: str = "") -> None:
        """Write down why it failed, with the trace where that is our fault."""
        about = {"kind": failure.kind, "problem": failure.message, "exception": trace}
        self._over(logging.ERROR if trace else logging.WARNING, Outcome.FAILED, about)

    def _over(
        self, level: int, outcome: Outcome, about: dict[str, str] | None = None, made: Made | None = None
    ) -> None:
        end = self._end(outcome, (about or {}).get("kind"), made)
        seconds = {"seconds": end.generate_seconds, "audio_seconds": end.audio_seconds or None}
        measured = {name: round(value, 3) for name, value in seconds.items() if value is not None}
        said = {name: text for name, text in (about or {}).items() if text}
        log.log(level, "job %s", outcome.value, extra={**self._names(), **measured, **said})
        self._tell(end)

    def _end(self, outcome: Outcome, kind: str | None, made: Made | None) -> JobEnd:
        since, settings = self._running_since, made.metadata.get("settings") if made else None
        return JobEnd(
            self._job.generated_by,
            self._job.dialect,
            outcome,
            kind,
            self._wait_seconds,
            self._load_seconds,
            None if since is None else self._clock() - since,
            made.duration if made else 0.0,
            settings.get("codes", 0) if isinstance(settings, dict) else 0,
        )

    @property
    def _wait_seconds(self) -> float:
        return self._job.queued_seconds or 0.0

    def _names(self) -> dict[str, str]:
        return {"job_id": self._job.id, "model": self._job.generated_by, "dialect": self._job.dialect}
