"""RateLimit: so many of something in a stretch of time, written as in ``1000/day``."""

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
    """``count`` in each ``unit``, one of ``SECONDS``."""

    count: int
    unit: str

    def __post_init__(self) -> None:
        if self.count < 1 or self.unit not in SECONDS:
            raise InvalidRequest("rate", f"must be at least 1 per {', '.join(SECONDS)}, got {self}")

    @property
    def seconds(self) -> int:
        """The stretch of time."""
        return SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"

    @classmethod
    def parse(cls, field: str, text: str) -> RateLimit:
        """Read ``60/min``, ``1000/day`` and the like; raises InvalidRequest that names the field."""
        found = _RATE.fullmatch(text.strip().lower())
        unit = "" if found is None else _SHORT.get(found[2], found[2])
        if found is None or unit not in SECONDS or int(found[1]) < 1:
            raise InvalidRequest(field, f"must be COUNT/UNIT, unit second, minute, hour or day, got {text[:40]!r}")
        return cls(int(found[1]), unit)

    def says(self, things: str) -> str:
        """Return it in words, such as ``60 requests a minute``."""
        counted = things.removesuffix("s") if self.count == 1 else things
        return f"{self.count} {counted} {'an' if self.unit == 'hour' else 'a'} {self.unit}"

    def window(self, now: float) -> tuple[float, float]:
        """Return when the stretch that a moment lies in began and when it ends; days and hours are those of UTC."""
        began = now // self.seconds * self.seconds
        return began, began + self.seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller: ``remaining`` of what ``rate`` allows, until all of it is back at ``resets_at``.

    ``things`` says of what, in the plural; times are seconds since 1970 in UTC. Where more was asked for it
    ``is_exceeded``.
    """

    things: str
    rate: RateLimit
    remaining: int
    resets_at: float
    is_exceeded: bool = False

    def check(self, now: float) -> None:
        """Raise RateLimited if it is exceeded."""
        if self.is_exceeded:
            raise RateLimited(self.rate.says(self.things), self.resets_in(now))

    def resets_in(self, now: float) -> int:
        """Return the whole seconds until all of it is back, at least 1."""
        return max(1, math.ceil(self.resets_at - now))
