"""A clip: what one call of a service makes, and how a request is put as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.audio import Audio
from tunesmith.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """A clip to be made: of ``seconds``, with a ``seed``; ``recording`` is gone on from, or its tune is followed."""

    text: str
    seconds: float
    seed: int
    request: GenerationRequest
    recording: Audio | None = None
    continues: bool = False


@dataclass(frozen=True, slots=True)
class HostedClip:
    """What came: the sound, and what the service said of it; ``seed`` is None where it is not known to be heeded."""

    audio: Audio
    seed: int | None = None
    version: str | None = None
    licence: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


TellShare = Callable[[str, float], None]
"""Hears the stage in words and the share of the clip that is done, 0 to 1."""


class ClipService(Protocol):
    """Makes clips."""

    async def clip(self, order: ClipRequest, tell: TellShare) -> HostedClip:
        """Make a clip; raises ApiError and its kind."""
        ...
