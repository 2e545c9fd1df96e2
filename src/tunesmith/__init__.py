"""Tunesmith: a text prompt in, background music out, on your own machine."""

from __future__ import annotations

import secrets
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.client import AsyncTunesmith, Clip, RemoteJob, Tunesmith
    from tunesmith.composer.composition import Composition
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
    "compose",
    "generate",
]

_HOMES = {
    "Audio": "tunesmith.audio", "GenerationRequest": "tunesmith.request", "Hit": "tunesmith.request",
    **dict.fromkeys(("AsyncTunesmith", "Clip", "RemoteJob", "Tunesmith"), "tunesmith.client"),
}  # fmt: skip


def generate(prompt: str, *, model: str = "composer", seed: int | None = None, **wishes: Any) -> Audio:
    """Make music from a prompt.

    ``wishes`` are the other fields of GenerationRequest, such as ``duration=30``. Without a seed one is drawn; it is
    in the result's metadata. Raises InvalidRequest for what cannot be, UnknownName for a model there is not.
    """
    from tunesmith.generator import never_cancelled, no_progress
    from tunesmith.models.registry import Registry
    from tunesmith.request import DRAWN_SEEDS, GenerationRequest

    request = GenerationRequest.checked(prompt=prompt, model=model, seed=seed, **wishes)
    request = request.with_seed(secrets.randbelow(DRAWN_SEEDS))
    return Registry.discover().create(request.model).generate(request, no_progress, never_cancelled)


def compose(prompt: str, *, seed: int | None = None, **wishes: Any) -> Composition:
    """Write the piece for a prompt with the built-in composer: its score, stems and mix.

    ``wishes`` are as in :func:`generate`.
    """
    from tunesmith.composer.composition import compose as write
    from tunesmith.request import DRAWN_SEEDS, GenerationRequest

    request = GenerationRequest.checked(prompt=prompt, seed=seed, **wishes)
    return write(request.with_seed(secrets.randbelow(DRAWN_SEEDS)))


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use, so that ``import tunesmith`` stays fast."""
    if name not in __all__:
        raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "tunesmith.errors")), name)
