"""keep_alive: how long a model stays after a job, as a caller may ask for it in ``Submission.extra``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.field_errors import shown

KEEP_ALIVE = "keep_alive"
FOREVER = -1
MAX_SECONDS = 30 * 86_400


def check_keep_alive(extra: Mapping[str, Any]) -> None:
    """Raise InvalidRequest unless it is left out, a number of seconds (0 unloads at once), or FOREVER."""
    value = extra.get(KEEP_ALIVE)
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not (value == FOREVER or 0 <= value <= MAX_SECONDS):
        problem = f"must be 0 to {MAX_SECONDS} seconds, or {FOREVER} for good, got {shown(value)}"
        raise InvalidRequest(KEEP_ALIVE, problem)
