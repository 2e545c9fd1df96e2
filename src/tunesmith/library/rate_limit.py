"""RateLimit: a number of events per unit of time, written like ``1000/day``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import MappingProxyType

from tunesmith.errors import InvalidRequest, RateLimited

SECONDS = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400})
_SHORT = {"s": "second", "sec": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day"}
_RATE = re.compile(r"(\d{1,9})\s*/\s*([a-z]+?)s?")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rate limit: ``count`` in each ``unit``, one of ``SECONDS``. Raises InvalidRequest for other values."""

    count: int
    unit: str

    def __post_init__(self) -> None:
        if self.count < 1 or self.unit not in SECONDS:
            raise InvalidRequest("rate", f"must be at least 1 per {', '.join(SECONDS)}, got {self}")

    @property
    def seconds(self) -> int:
        """The length of the window, in seconds."""
        return SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"

    @classmethod
    def parse(cls, field: str, text: str) -> RateLimit:
        """Parse ``60/min``, ``1000/day`` and the like. Raises InvalidRequest that names the field."""
        found = _RATE.fullmatch(text.strip().lower())
        unit = "" if found is None else _SHORT.get(found[2], found[2])
        if found is None or unit not in SECONDS or int(found[1]) < 1:
            raise InvalidRequest(field, f"must be COUNT/UNIT, unit second, minute, hour or day, got {text[:40]!r}")
        return cls(int(found[1]), unit)

    def says(self, things: str) -> str:
        """Return the limit in words, such as ``60 requests a minute``."""
        counted = things.removesuffix("s") if self.count == 1 else things
        return f"{self.count} {counted} {'an' if self.unit == 'hour' else 'a'} {self.unit}"

    def window(self, now: float) -> tuple[float, float]:
        """Return the start and end of the fixed window that contains ``now``; days and hours are UTC."""
        # Fixed windows aligned to the clock, so that all processes agree without talking to each other.
        began = now // self.seconds * self.seconds
        return began, began + self.seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """The rest of a rate limit: ``remaining`` of ``rate``, which is full again at ``resets_at``.

    ``things`` names what is counted, in the plural; times are seconds since 1970 in UTC. ``is_exceeded`` is set if the
    last
    request went over the limit.
    """

    things: str
    rate: RateLimit
    remaining: int
    resets_at: float
    is_exceeded: bool = False

    def check(self, now: float) -> None:
        """Raise RateLimited if the limit is exceeded."""
        if self.is_exceeded:
            raise RateLimited(self.rate.says(self.things), self.resets_in(now))

    def resets_in(self, now: float) -> int:
        """Return the whole seconds until the limit is full again, at least 1."""
        # Never 0: a client would retry at once.
        return max(1, math.ceil(self.resets_at - now))
