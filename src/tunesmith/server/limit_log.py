"""Limit log: what is reported when a limit refuses a caller, at most once a minute for each reason."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable

from tunesmith.library.clock import Clock

SECONDS_BETWEEN = 60.0
MAX_KINDS = 1000
"""How many kinds are remembered; the one that was reported longest ago is forgotten first."""

KEY_CHARACTERS = 60
"""How much of a library's message tells its kind; what follows may differ each time, such as an address in memory."""

Count = Callable[[str], None]
"""Counts a refusal by its reason."""

log = logging.getLogger("tunesmith.limits")


class RepeatLimit:
    """Lets one event of each kind pass per minute and counts the others."""

    def __init__(self, seconds: float = SECONDS_BETWEEN, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def passes(self, kind: Hashable) -> int | None:
        """Return how many were suppressed since the last that passed, or None where this one is suppressed too."""
        now = self._clock()
        at, suppressed = self._last.get(kind, (float("-inf"), 0))
        if now - at < self._seconds:
            self._last[kind] = (at, suppressed + 1)
            return None
        self._last[kind] = (now, 0)
        self._last.move_to_end(kind)
        if len(self._last) > MAX_KINDS:
            self._last.popitem(last=False)
        return suppressed


class RepeatFilter(logging.Filter):
    """Lets each warning of the named loggers through once a minute; ``repeated`` tells how many came in between."""

    def __init__(self, loggers: Collection[str], limit: RepeatLimit | None = None) -> None:
        super().__init__()
        self._loggers = loggers
        self._limit = limit or RepeatLimit()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        if record.levelno < logging.WARNING or record.name not in self._loggers:
            return True
        suppressed = self._limit.passes((record.name, record.levelno, str(record.msg)[:KEY_CHARACTERS]))
        if suppressed:
            record.repeated = suppressed
        return suppressed is not None


class LimitLog:
    """Counts each refusal and writes a line about it, at most one a minute for each reason."""

    def __init__(self, count: Count = lambda _: None, limit: RepeatLimit | None = None) -> None:
        self._count = count
        self._limit = limit or RepeatLimit()

    def report(self, reason: str, problem: str, client: str | None = None, owner: str | None = None) -> None:
        """Report a refusal: ``reason`` is a label that takes few values, ``problem`` one line that names the limit.

        ``client`` is an address; ``owner`` a token's id, or the address of a caller without one.
        """
        self._count(reason)
        suppressed = self._limit.passes(reason)
        if suppressed is not None:
            about = {"reason": reason, "problem": problem, "client": client, "owner": owner, "repeated": suppressed}
            log.warning("limit reached", extra={name: value for name, value in about.items() if value})
