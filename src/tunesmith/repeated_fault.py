"""RepeatedFault: logs a persistent fault when it begins, once a minute, and when it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

REPEAT_SECONDS = 60.0


class RepeatedFault:
    """A rate-limited log of one kind of fault. Safe to share between threads: at worst it logs a line twice."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._problem = ""
        self._logged_at = float("-inf")

    def report(self, problem: str, *, trace: bool = False) -> None:
        """Log the problem unless it was logged within a minute; ``trace`` adds the current traceback."""
        now = self._clock()
        if problem != self._problem or now - self._logged_at >= REPEAT_SECONDS:
            self._problem, self._logged_at = problem, now
            self._log.error("%s", problem, exc_info=trace)

    def clear(self) -> None:
        """Mark the fault as over, and log that once."""
        if self._problem:
            self._log.info("over: %s", self._problem)
            self._problem = ""
