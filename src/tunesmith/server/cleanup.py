"""Housekeeping: every few minutes what is too old or too much is removed, a bounded number of files at a time."""

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
"""How long until the next round where there was more to remove than one round takes."""

MOST_A_ROUND = 500
"""How many files of a kind one round removes, so that neither the database nor the disk is kept from the jobs."""

SET_SECONDS = 60.0
"""By how much a clock is set, at least, for a round to be left out; it is seldom wrong for two rounds."""

Chore = Callable[[int], int]
"""Removes at most so many files, and returns how many it removed."""

log = logging.getLogger("tunesmith.housekeeping")


class Housekeeping:
    """Does its chores as long as it runs: in a thread, one after another; what goes wrong is logged and tried again."""

    def __init__(
        self, chores: Mapping[str, Chore], metrics: Metrics, clock: Clock = time.time, elapsed: Clock = time.monotonic
    ) -> None:
        self._chores = chores
        self._metrics = metrics
        self._clock = clock
        self._elapsed = elapsed
        self._epoch = clock() - elapsed()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Work until closed; the first round begins at once."""
        while not self._closing.is_set():
            removed = await asyncio.to_thread(self.do_round)
            has_more = any(number >= MOST_A_ROUND for number in removed.values())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), SOON_SECONDS if has_more else EVERY_SECONDS)

    def close(self) -> None:
        """Let the round that is under way be the last."""
        self._closing.set()

    def _clock_was_set(self) -> bool:
        """Tell whether the clock was set since the last round: what is old by it may be young after all."""
        before, self._epoch = self._epoch, self._clock() - self._elapsed()
        return abs(self._epoch - before) > SET_SECONDS

    def do_round(self) -> Mapping[str, int]:
        """Do all chores once, and return how many of each were removed."""
        if self._clock_was_set():
            log.warning("the clock was set, or the machine slept: nothing is removed in this round")
            return {}
        removed, has_failed = {}, False
        for name, chore in self._chores.items():
            try:
                removed[name] = chore(MOST_A_ROUND)
            except (TunesmithError, OSError) as error:
                log.error("housekeeping failed: %s", error, extra={"chore": name})
                has_failed = True
            except Exception:  # the border of the job runner: one chore that fails must not end the others
                log.exception("housekeeping failed", extra={"chore": name})
                has_failed = True
        self._metrics.cleaned(removed, "failed" if has_failed else "done")
        done = {name: number for name, number in removed.items() if number}
        if done:
            log.info("removed what is too old or too much", extra=done)
        return removed
