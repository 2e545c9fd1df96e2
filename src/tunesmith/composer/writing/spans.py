"""Spans in order of their start: the one that sounds at a beat, and those that begin between two beats."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

# Beats are floats: in thirds of a beat, a start may lie just beside its exact value.
TOLERANCE = 1e-6


class StartingSpan(Protocol):
    """What starts at a beat."""

    @property
    def start(self) -> float:
        """The start in beats."""
        ...


S = TypeVar("S", bound=StartingSpan)


def span_at(spans: Sequence[S], beat: float) -> S:
    """Return the last span that starts at ``beat`` or before; the first one where none does."""
    index = bisect.bisect_right(spans, beat + TOLERANCE, key=lambda span: span.start) - 1
    return spans[max(0, index)]


def spans_from(spans: Sequence[S], start: float, end: float) -> Iterator[S]:
    """Yield the spans that begin in ``[start, end)``."""
    first = bisect.bisect_left(spans, start - TOLERANCE, key=lambda span: span.start)
    for span in spans[first:]:
        if span.start >= end - TOLERANCE:
            return
        yield span
