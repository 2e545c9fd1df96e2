"""Regions of a sound in seconds, written as ``4-8,1:16-1:20``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from tunesmith.clock_time import seconds

MAX_REGIONS = 64
MIN_REGION_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class TimeRegion:
    """A stretch of a sound from ``start`` to ``end`` in seconds."""

    start: float
    end: float

    def __str__(self) -> str:
        """Return the region as a user writes it."""
        return f"{self.start:.15g}-{self.end:.15g}"


def parse_regions(text: str) -> tuple[TimeRegion, ...]:
    """Return the regions in a text, in order of time.

    Raises ValueError for a text that is none, and for regions that are reversed, shorter than 0.1 s or overlap.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(parts) <= MAX_REGIONS:
        raise ValueError(f"must be 1 to {MAX_REGIONS} regions such as 4-8,16-20, got {len(parts)}")
    regions = sorted(map(_parse, parts), key=lambda region: region.start)
    for before, after in pairwise(regions):
        if after.start < before.end:
            raise ValueError(f"must be regions that do not overlap, got {before} and {after}")
    return tuple(regions)


def regions_text(regions: tuple[TimeRegion, ...]) -> str:
    """Return the text that ``parse_regions`` reads."""
    return ",".join(map(str, regions))


def _parse(part: str) -> TimeRegion:
    try:
        start, end = (float(seconds(side)) for side in part.split("-"))
    except ValueError:
        start = end = math.nan
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError(f"must be START-END in seconds, several with commas between, got {part[:40]!r}")
    if end <= start:
        raise ValueError(f"must be regions that end after their start, got {part}")
    if end - start < MIN_REGION_SECONDS:
        raise ValueError(f"must be regions of at least {MIN_REGION_SECONDS:g} s, got {part}")
    return TimeRegion(start, end)
