"""Licences: which of them allow commercial use of a model's output, as far as their text says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunesmith.audio.credits import credits_of
from tunesmith.errors import InvalidRequest

UNKNOWN = "unknown"
COMPOSED = "free to use, also commercially"
"""The first words of the licence of composed music."""

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
    "cc-by-nc-nd-3.0": False,
    "cc-by-nc-nd-4.0": False,
    "cc-by-nc-sa-3.0": False,
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
"""Commercial use by the hub's licence identifier. Any other licence is unknown, and does not count as safe."""


def allows_commercial_use(licence: str) -> bool | None:
    """Return whether the licence allows commercial use, None if unknown.

    The licence is an identifier of the hub, the URL or name of a Creative Commons licence, or the composer's. Several
    are separated by ``;``; unknown ones are ignored, and all others must allow it.
    """
    said = {_one_allows(part) for part in licence.split(";")} - {None}
    return None if not said else all(said)


def check_parts(metadata: Mapping[str, Any], name: str) -> None:
    """Raise InvalidRequest unless every part of the recording ``name`` allows commercial use.

    ``metadata`` is that of the recording, with the credits of its parts.
    """
    for part in credits_of({"title": name, **metadata}):
        allowed = allows_commercial_use(part.licence)
        if allowed is None:
            raise InvalidRequest("commercial_safe", f"whether {name} may be used commercially is not known: {part}")
        if not allowed:
            raise InvalidRequest("commercial_safe", f"{name} may not be used commercially: {part}")


def _one_allows(licence: str) -> bool | None:
    plain = licence.strip().lower()
    if plain.startswith(COMPOSED):
        return True
    if plain.startswith("all rights reserved"):
        return False
    named = _CREATIVE_COMMONS.search(plain)
    if named:
        # Credits of recordings give URLs or names instead of identifiers.
        plain = f"cc-{named['kind'].replace(' ', '-')}-{named['version']}"
    return COMMERCIAL_USE.get("cc0-1.0" if _ZERO.search(plain) else plain)


_CREATIVE_COMMONS = re.compile(
    r"(?:creativecommons\.org/licenses/|\bcc[ -])(?P<kind>by(?:[ -](?:nc|sa|nd))*)[ /-](?P<version>\d\.\d)"
)
# CC0 is no "by" licence, so the pattern above does not match it.
_ZERO = re.compile(r"creativecommons\.org/publicdomain/zero/1\.0|^cc0(?: 1\.0)?$")


def describe_commercial_use(allowed: bool | None) -> str:
    """Return yes, no or unknown."""
    return {True: "yes", False: "no", None: UNKNOWN}[allowed]
