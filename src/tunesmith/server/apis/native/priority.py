"""Priority: before or after whose jobs a job is made; everyone may stand back, and only admins may go first."""

from __future__ import annotations

from typing import Any

from tunesmith.errors import InvalidRequest
from tunesmith.field_errors import shown
from tunesmith.server.auth import Caller
from tunesmith.server.errors import Forbidden

PRIORITY = "priority"
LOWEST, USUAL, HIGHEST = -10, 0, 10
SCHEMA = {
    "type": "integer", "minimum": LOWEST, "maximum": HIGHEST, "default": USUAL,
    "description": "Jobs of a higher priority are made first; above 0 is for admins.",
}  # fmt: skip


def priority_of(given: Any, caller: Caller) -> int:
    """Return the priority asked for, as a number or in a form; raises InvalidRequest and Forbidden."""
    if given is None:
        return USUAL
    try:
        number = None if isinstance(given, bool | float | bytes) else int(given)
    except (TypeError, ValueError):
        number = None
    if number is None or not LOWEST <= number <= HIGHEST:
        raise InvalidRequest(PRIORITY, f"must be a whole number from {LOWEST} to {HIGHEST}, got {shown(given)}")
    if number > USUAL and caller.scope != "admin":
        raise Forbidden(f"a priority above {USUAL} needs a token of scope admin")
    return number
