"""Cleanup: removes files and rows beyond their limits every few minutes, a bounded number at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping

from tunesmith.errors import TunesmithError
from tunesmith.library.clock import Clock
from tunesmith.server.observability.metrics import Metrics

EVERY_SECONDS = 600.0
SOON_SECONDS = 1.0
"""The delay of the next round if the last one left something to remove."""

MOST_A_ROUND = 500
"""The number of files per kind and round, which keeps the database and the disk free for the jobs."""

SET_SECONDS = 60.0
"""The jump of the system clock that cancels a round; a clock is seldom wrong for two rounds."""

Chore = Callable[[int], int]
"""A chore that removes at most the given number of files and returns how many it removed."""

log = logging.getLogger("tunesmith.housekeeping")


class Housekeeping:
    """A background task that runs its chores in a thread, one after another; it logs failures and tries again."""

    def __init__(
        self, chores: Mapping[str, Chore], metrics: Metrics, clock: Clock = time.time, elapsed: Clock = time.monotonic
    ) -> None:
        self._chores = chores
        self._metrics = metrics
        self._clock = clock
        self._elapsed = elapsed
        # The difference to the monotonic clock changes only if the system clock is set, or during sleep.
        self._epoch = clock() - elapsed()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Run rounds until closed; the first starts at once."""
        while not self._closing.is_set():
            removed = await asyncio.to_thread(self.do_round)
            has_more = any(number >= MOST_A_ROUND for number in removed.values())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), SOON_SECONDS if has_more else EVERY_SECONDS)

    def close(self) -> None:
        """End after the current round."""
        self._closing.set()

    def _clock_was_set(self) -> bool:
        """Return whether the system clock was set since the last round: ages computed with it may be wrong."""
        before, self._epoch = self._epoch, self._clock() - self._elapsed()
        return abs(self._epoch - before) > SET_SECONDS

    def do_round(self) -> Mapping[str, int]:
        """Run all chores once; return how many files each removed."""
        if self._clock_was_set():
            log.warning("the clock jumped (it was set, or the machine slept): this cleanup removes nothing")
            return {}
        removed, has_failed = {}, False
        for name, chore in self._chores.items():
            try:
                removed[name] = chore(MOST_A_ROUND)
            except (TunesmithError, OSError) as error:
                log.error("cleanup failed: %s", error, extra={"chore": name})
                has_failed = True
            # The error boundary: one failing chore must not stop the others.
            except Exception:
                log.exception("cleanup failed", extra={"chore": name})
                has_failed = True
        self._metrics.cleaned(removed, "failed" if has_failed else "done")
        done = {name: number for name, number in removed.items() if number}
        if done:
            log.info("removed old or excess files", extra=done)
        return removed
