"""What time is, wherever something is remembered."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since 1970 in UTC, as ``time.time`` does; tests pass their own."""
