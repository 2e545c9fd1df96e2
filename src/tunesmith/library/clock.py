"""The clock type of everything that stores times."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""A function that returns seconds since 1970 in UTC, like ``time.time``; tests pass their own."""
