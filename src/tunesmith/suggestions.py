"""Suggestions: the known name that a misspelt name or an alias stands for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 60
"""The longest name to compare: longer ones are no typos, and comparison takes quadratic time."""


def near_names(name: str, known: Iterable[str], *, limit: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return up to ``limit`` known names similar to this one, ignoring case, nearest first.

    ``cutoff`` is the minimum similarity, 0 to 1 (equal).
    """
    if not name or len(name) > LONGEST:
        return []
    by_lower = {one.lower(): one for one in known}
    return [by_lower[near] for near in difflib.get_close_matches(name.lower(), by_lower, n=limit, cutoff=cutoff)]


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 1, cutoff: float = 0.6) -> str:
    """Return ``"; did you mean X?"`` to append to an error message; empty if no known name is near."""
    near = near_names(name, known, limit=limit, cutoff=cutoff)
    return f"; did you mean {' or '.join(near)}?" if near else ""
