"""JobCache: concurrent reads of a job share one query, and its result is cached for a moment."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from tunesmith.jobs.job import Job
from tunesmith.library.clock import Clock

FRESH_SECONDS, FRESH_SECONDS_AT_END = 0.25, 2.0
"""The time to live of a cached job in seconds, unless a change is published: changes by other servers on the same
database are not. A finished job changes only when its file is removed."""

MOST_KEPT = 1024


class JobCache:
    """A cache of jobs with a single flight per job. Used from one event loop; ``read`` is called in threads."""

    def __init__(self, read: Callable[[str], Job], clock: Clock = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._reading: dict[str, asyncio.Task[Job]] = {}
        self._kept: OrderedDict[str, tuple[Job, float]] = OrderedDict()

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises what ``read`` raises."""
        job, fresh_until = self._kept.get(job_id, (None, 0.0))
        if job is not None and self._clock() < fresh_until:
            return job
        reading = self._reading.get(job_id)
        if reading is None:
            reading = self._reading[job_id] = asyncio.create_task(self._read_and_keep(job_id))
            reading.add_done_callback(_look_at_error)
        # A caller that disconnects must not cancel the read that others wait for.
        return await asyncio.shield(reading)

    def hear(self, job_id: str, ended: Job | None = None, goes_on: bool = False) -> None:  # noqa: ARG002
        """Invalidate a job that changed: a read in progress may be stale, so the next caller starts another."""
        self._kept.pop(job_id, None)
        self._reading.pop(job_id, None)
        if ended is not None:
            self._keep(ended)

    async def _read_and_keep(self, job_id: str) -> Job:
        this = asyncio.current_task()
        try:
            job = await asyncio.to_thread(self._read, job_id)
            # A read that was invalidated while it ran must not fill the cache.
            if self._reading.get(job_id) is this:
                self._keep(job)
            return job
        finally:
            if self._reading.get(job_id) is this:
                del self._reading[job_id]

    def _keep(self, job: Job) -> None:
        seconds = FRESH_SECONDS_AT_END if job.state.is_final else FRESH_SECONDS
        self._kept.pop(job.id, None)
        self._kept[job.id] = job, self._clock() + seconds
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _look_at_error(reading: asyncio.Task[Job]) -> None:
    """Retrieve the error, or asyncio would log it as never retrieved if all callers have gone."""
    if not reading.cancelled():
        reading.exception()
