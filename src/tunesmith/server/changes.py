"""Changes: who waits for a job hears when it has changed, without asking the database again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping


class Bell:
    """Rings when a job has changed; one that rang while nobody waited is heard by the next to wait."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits."""
        self._rung.set()

    async def heard(self, seconds: float) -> None:
        """Return when it has rung, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


class Changes:
    """Used from one event loop. Another server on the same database is not heard, so waits look again by themselves."""

    def __init__(self) -> None:
        self._for_any: MutableMapping[str, set[Bell]] = defaultdict(set)
        self._for_end: MutableMapping[str, set[Bell]] = defaultdict(set)
        self._listeners: list[Callable[[str], None]] = []

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` with the job's id at each change, before those who wait are woken."""
        self._listeners.append(listener)

    def tell(self, job_id: str, *, ended: bool = False) -> None:
        """Wake all who wait for a change of this job, and those who wait for its end if it may have ended."""
        for listener in self._listeners:
            listener(job_id)
        for bells in (self._for_any, self._for_end) if ended else (self._for_any,):
            for bell in bells.get(job_id, ()):
                bell.ring()

    @contextlib.contextmanager
    def bell(self, job_id: str, *, only_end: bool = False) -> Iterator[Bell]:
        """Give a bell that rings at each change of the job, or only when it may have ended."""
        bells, bell = self._for_end if only_end else self._for_any, Bell()
        bells[job_id].add(bell)
        try:
            yield bell
        finally:
            bells[job_id].discard(bell)
            if not bells[job_id]:
                del bells[job_id]
