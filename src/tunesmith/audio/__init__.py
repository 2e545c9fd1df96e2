"""The sound itself: buffer, files, resampling, loudness, editing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio as Audio
    from tunesmith.audio.spool import Spool as Spool

_HOMES = {"Audio": "tunesmith.audio.buffer", "Spool": "tunesmith.audio.spool"}


def __getattr__(name: str) -> Any:
    """Load NumPy only for those who use sound, which a server that hands it to others does not."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
