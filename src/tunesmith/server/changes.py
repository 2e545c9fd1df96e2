"""Changes: who waits for a job hears when it has changed, without asking the database again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict


class Changes:
    """Used from one event loop. Another server on the same database is not heard, so waits look again by themselves."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def tell(self, job_id: str) -> None:
        """Wake all who wait for this job."""
        for event in self._waiting.get(job_id, ()):
            event.set()

    async def next(self, job_id: str, seconds: float) -> None:
        """Return when the job has changed, or after so many seconds."""
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
