"""Audio: buffer, files, resampling, loudness, editing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio as Audio
    from tunesmith.audio.spool import Spool as Spool

_HOMES = {"Audio": "tunesmith.audio.buffer", "Spool": "tunesmith.audio.spool"}


def __getattr__(name: str) -> Any:
    """Import a name on first use, so that processes that handle no samples, such as a server, do not load NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
