"""QueueEstimator: the queue position and the time left of a job; one read of the queue serves all callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.queue_positions import QueuePosition, QueueSnapshot
from tunesmith.jobs.speed_estimates import Speed
from tunesmith.library.clock import Clock

LOOK_SECONDS = 0.5
"""How old at most what is told may be."""


@dataclass(frozen=True, slots=True)
class QueueEstimate:
    """Seconds until a job's turn (``wait_seconds``) and until its end (``eta_seconds``); None where nobody can know.

    ``position`` is 1 for the next of its model, and None once it no longer waits.
    """

    position: int | None = None
    wait_seconds: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: float
    places: Mapping[str, QueuePosition]
    speeds: Mapping[str, Speed]


class QueueEstimator:
    """Reads the queue with ``read``, in a thread; ``loaded`` names the models in memory. Used from one event loop."""

    def __init__(
        self, read: Callable[[], QueueSnapshot], loaded: Callable[[], Collection[str]], clock: Clock,
        elapsed: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._read = read
        self._loaded = loaded
        self._clock = clock
        self._elapsed = elapsed
        self._last = _Snapshot(float("-inf"), {}, {})
        self._looking: asyncio.Task[_Snapshot] | None = None

    async def estimate(self, job: Job) -> QueueEstimate:
        """Return what lies before a job."""
        if job.state is JobState.QUEUED:
            look = await self._snapshot(job)
            return _of_waiting(job, look.places.get(job.id), look.speeds.get(job.generated_by, Speed()))
        if job.state is JobState.LOADING:
            look = await self._snapshot(job)
            estimate = look.speeds.get(job.generated_by, Speed()).seconds_for(job.audio_seconds, loaded=False)
            elapsed = max(0.0, self._clock() - (job.started_at or self._clock()))
            return QueueEstimate(eta_seconds=None if estimate is None else max(0.0, estimate - elapsed))
        return QueueEstimate(eta_seconds=job.eta_seconds)

    async def _snapshot(self, job: Job) -> _Snapshot:
        """Return a look at the queue that is young enough, and younger than the job."""
        now, age = self._elapsed(), max(0.0, self._clock() - job.created_at)
        if self._last.at < now - min(age, LOOK_SECONDS):
            self._last = await self._next()
            if self._last.at < now - age:  # that look had begun before the job came
                self._last = await self._next()
        return self._last

    async def _next(self) -> _Snapshot:
        """Join the look under way, or begin one."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._take, self._elapsed(), self._loaded()))
        return await asyncio.shield(self._looking)

    def _take(self, now: float, loaded: Collection[str]) -> _Snapshot:
        queue = self._read()
        return _Snapshot(now, queue.places(loaded), queue.speeds)


def _of_waiting(job: Job, place: QueuePosition | None, speed: Speed) -> QueueEstimate:
    if place is None:
        return QueueEstimate()
    work = speed.seconds_for(job.audio_seconds)
    known = place.wait_seconds is not None and work is not None
    return QueueEstimate(place.position, place.wait_seconds, (place.wait_seconds or 0) + (work or 0) if known else None)
