"""Logs: values that belong to every line of a task, and faults and refusals that are logged once a minute."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from contextvars import ContextVar
from types import MappingProxyType

_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default=MappingProxyType({}))


def bind(**about: str) -> None:
    """Add these values to all later log lines of the current task: ``request_id``, ``job_id``."""
    _bound.set({**_bound.get(), **about})


def bound_values() -> Mapping[str, str]:
    """Return the values bound in the current task."""
    return _bound.get()


SECONDS_BETWEEN = 60.0
MAX_KINDS = 1000
"""The maximum number of remembered kinds; the one reported longest ago is dropped first."""

KEY_CHARACTERS = 60
"""The prefix of a message that identifies its kind; the rest may vary, such as a memory address."""

Count = Callable[[str], None]
"""A callback that counts a refusal by its reason."""

log = logging.getLogger("tunesmith.limits")


class RepeatLimit:
    """A filter that passes one event per kind and minute, and counts the others."""

    def __init__(self, seconds: float = SECONDS_BETWEEN, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def passes(self, kind: Hashable) -> int | None:
        """Return the number suppressed since the last pass, or None if this event is suppressed too."""
        now = self._clock()
        at, suppressed = self._last.get(kind, (float("-inf"), 0))
        if now - at < self._seconds:
            self._last[kind] = (at, suppressed + 1)
            return None
        self._last[kind] = (now, 0)
        # Keep the order of age, so that popitem drops the oldest.
        self._last.move_to_end(kind)
        if len(self._last) > MAX_KINDS:
            self._last.popitem(last=False)
        return suppressed


class RepeatFilter(logging.Filter):
    """A log filter that passes each warning of the named loggers once a minute; ``repeated`` counts the others."""

    def __init__(self, loggers: Collection[str], limit: RepeatLimit | None = None) -> None:
        super().__init__()
        self._loggers = loggers
        self._limit = limit or RepeatLimit()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to write the record."""
        if record.levelno < logging.WARNING or record.name not in self._loggers:
            return True
        # A caller can trigger these warnings at will, and must not fill the disk with them.
        suppressed = self._limit.passes((record.name, record.levelno, str(record.msg)[:KEY_CHARACTERS]))
        if suppressed:
            record.repeated = suppressed
        return suppressed is not None


class LimitLog:
    """A log of refusals: counts each, and writes at most one line a minute for each reason."""

    def __init__(self, count: Count = lambda _: None, limit: RepeatLimit | None = None) -> None:
        self._count = count
        self._limit = limit or RepeatLimit()

    def report(self, reason: str, problem: str, client: str | None = None, owner: str | None = None) -> None:
        """Report a refusal: ``reason`` is a label with few values, ``problem`` one line that names the limit.

        ``client`` is an address; ``owner`` is a token's id, or the address of a caller without one.
        """
        self._count(reason)
        suppressed = self._limit.passes(reason)
        if suppressed is not None:
            about = {"reason": reason, "problem": problem, "client": client, "owner": owner, "repeated": suppressed}
            log.warning("limit reached", extra={name: value for name, value in about.items() if value})


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
