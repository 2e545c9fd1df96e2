"""Clip: the result of one call to a service, and its request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith.audio import Audio
from tunesmith.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """A request for a clip of ``seconds``; ``recording`` is continued if ``continues``, else its melody is followed."""

    text: str
    seconds: float
    seed: int
    request: GenerationRequest
    recording: Audio | None = None
    continues: bool = False


@dataclass(frozen=True, slots=True)
class HostedClip:
    """A clip with what the service reports about it; ``seed`` is None unless the service is known to honour it."""

    audio: Audio
    seed: int | None = None
    version: str | None = None
    licence: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


TellShare = Callable[[str, float], None]
"""A callback with the stage in words and the share of the clip that is done, 0 to 1."""


class ClipService(Protocol):
    """The protocol of a service that generates clips."""

    async def clip(self, request: ClipRequest, tell: TellShare) -> HostedClip:
        """Generate a clip. Raises ApiError and its subclasses."""
        ...
