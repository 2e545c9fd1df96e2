"""Tunesmith: a text prompt in, background music out, on your own machine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.changed_music import again, understand_change, vary
    from tunesmith.client import AsyncTunesmith, Clip, RemoteJob, Tunesmith
    from tunesmith.errors import (
        ApiError,
        AudioFileError,
        AudioFileWarning,
        DatabaseBusy,
        DatabaseDamaged,
        DatabaseError,
        DatabaseFull,
        DatabaseGone,
        DatabaseOutOfReach,
        DeadlineExceeded,
        DiskFull,
        DownloadError,
        FolderUnavailable,
        GenerationCancelled,
        GenerationFailed,
        IdempotencyConflict,
        InvalidRequest,
        InvalidScore,
        JobNotFound,
        ModelFileError,
        ModelNotInstalled,
        NotFound,
        OutOfResources,
        PlaybackError,
        QueueFull,
        RateLimited,
        ServerBusy,
        ServerUnreachable,
        SoundFontError,
        TokenRefused,
        TrackNotFound,
        TunesmithError,
        UnknownName,
    )
    from tunesmith.pipeline import compose, generate, stream
    from tunesmith.request import GenerationRequest, Hit

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "AsyncTunesmith",
    "Audio",
    "AudioFileError",
    "AudioFileWarning",
    "Clip",
    "DatabaseBusy",
    "DatabaseDamaged",
    "DatabaseError",
    "DatabaseFull",
    "DatabaseGone",
    "DatabaseOutOfReach",
    "DeadlineExceeded",
    "DiskFull",
    "DownloadError",
    "FolderUnavailable",
    "GenerationCancelled",
    "GenerationFailed",
    "GenerationRequest",
    "Hit",
    "IdempotencyConflict",
    "InvalidRequest",
    "InvalidScore",
    "JobNotFound",
    "ModelFileError",
    "ModelNotInstalled",
    "NotFound",
    "OutOfResources",
    "PlaybackError",
    "QueueFull",
    "RateLimited",
    "RemoteJob",
    "ServerBusy",
    "ServerUnreachable",
    "SoundFontError",
    "TokenRefused",
    "TrackNotFound",
    "Tunesmith",
    "TunesmithError",
    "UnknownName",
    "__version__",
    "again",
    "compose",
    "generate",
    "stream",
    "understand_change",
    "vary",
]

_HOMES = {
    "Audio": "tunesmith.audio", "GenerationRequest": "tunesmith.request", "Hit": "tunesmith.request",
    "compose": "tunesmith.pipeline", "generate": "tunesmith.pipeline", "stream": "tunesmith.pipeline",
    **dict.fromkeys(("again", "understand_change", "vary"), "tunesmith.changed_music"),
    **dict.fromkeys(("AsyncTunesmith", "Clip", "RemoteJob", "Tunesmith"), "tunesmith.client"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import tunesmith`` stays fast."""
    if name not in __all__:
        raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "tunesmith.errors")), name)


def __dir__() -> list[str]:
    """Return all public names, including those not imported yet, for completion at a prompt."""
    return sorted({*globals(), *__all__})
