"""Licences: which of them allow commercial use of what a model makes, as far as their text says."""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN = "unknown"

COMMERCIAL_USE: Mapping[str, bool] = {
    "afl-3.0": True,
    "apache-2.0": True,
    "bsd-2-clause": True,
    "bsd-3-clause": True,
    "cc-by-2.0": True,
    "cc-by-3.0": True,
    "cc-by-4.0": True,
    "cc-by-nc-2.0": False,
    "cc-by-nc-3.0": False,
    "cc-by-nc-4.0": False,
    "cc-by-nc-nd-4.0": False,
    "cc-by-nc-sa-4.0": False,
    "cc-by-sa-3.0": True,
    "cc-by-sa-4.0": True,
    "cc0-1.0": True,
    "isc": True,
    "mit": True,
    "unlicense": True,
    "wtfpl": True,
    "zlib": True,
}
"""By the hub's identifier. What is not here is unknown, and is not counted as safe."""


def allows_commercial_use(licence: str) -> bool | None:
    """Say whether the licence allows commercial use; None where that is not known."""
    return COMMERCIAL_USE.get(licence.strip().lower())


def commercial_use_in_words(allowed: bool | None) -> str:
    """Return yes, no or unknown."""
    return {True: "yes", False: "no", None: UNKNOWN}[allowed]
