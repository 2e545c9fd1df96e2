"""QueueEstimator: queue position and ETA of a job; one read of the queue serves all callers."""

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
"""The longest age in seconds of a snapshot of the queue."""


@dataclass(frozen=True, slots=True)
class QueueEstimate:
    """An estimate in seconds: ``wait_seconds`` until a job starts, ``eta_seconds`` until it ends; None if unknown.

    ``position`` is 1 for the next job of its model, and None once the job has started.
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
    """Estimates from cached snapshots of the queue. Used from one event loop.

    ``read`` is called in a thread; ``loaded`` returns the models in memory.
    """

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
        """Return the queue position and ETA of a job."""
        if job.state is JobState.QUEUED:
            look = await self._snapshot(job)
            return _of_waiting(job, look.places.get(job.id), look.speeds.get(job.generated_by, Speed()))
        if job.state is JobState.LOADING:
            look = await self._snapshot(job)
            # Loading is part of the time that is left.
            estimate = look.speeds.get(job.generated_by, Speed()).seconds_for(job.audio_seconds, loaded=False)
            elapsed = max(0.0, self._clock() - (job.started_at or self._clock()))
            return QueueEstimate(eta_seconds=None if estimate is None else max(0.0, estimate - elapsed))
        return QueueEstimate(eta_seconds=job.eta_seconds)

    async def _snapshot(self, job: Job) -> _Snapshot:
        """Return a snapshot that is fresh enough, and younger than the job."""
        now, age = self._elapsed(), max(0.0, self._clock() - job.created_at)
        if self._last.at < now - min(age, LOOK_SECONDS):
            self._last = await self._next()
            # The read that this call joined had started before the job was submitted.
            if self._last.at < now - age:
                self._last = await self._next()
        return self._last

    async def _next(self) -> _Snapshot:
        """Join the read in progress, or start one (single flight)."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._take, self._elapsed(), self._loaded()))
        # Other callers wait for the same read, so a cancelled caller must not cancel it.
        return await asyncio.shield(self._looking)

    def _take(self, now: float, loaded: Collection[str]) -> _Snapshot:
        queue = self._read()
        return _Snapshot(now, queue.places(loaded), queue.speeds)


def _of_waiting(job: Job, position: QueuePosition | None, speed: Speed) -> QueueEstimate:
    if position is None:
        return QueueEstimate()
    work = speed.seconds_for(job.audio_seconds)
    seconds = position.wait_seconds
    total = None if seconds is None or work is None else seconds + work
    return QueueEstimate(position.position, seconds, total)
