"""Generator: the protocol that every generator of music implements, and the small types it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation has come: the ``stage`` in words and the ``fraction`` done of the whole, 0 to 1."""

    stage: str
    fraction: float


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


class Generator(Protocol):
    """Makes music from a request."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Make the music.

        ``progress`` is called with non-decreasing fractions; ``cancelled`` is asked at least once a second of work.
        Raises GenerationCancelled once ``cancelled()`` is true, and InvalidRequest for what cannot be.
        """
        ...


@runtime_checkable
class BatchingGenerator(Protocol):
    """A generator that makes several requests at once, each asked for from a thread of its own."""

    def load(self, num_rows: int) -> int:
        """Get ready for a batch of at most ``num_rows`` rows; return how many requests may be made at once."""
        ...


EXPORTS: Mapping[str, str] = {"mid": "audio/midi", "zip": "application/zip"}
"""What can be had of a piece besides its sound, with the media type: a MIDI file, and a ZIP of its stems."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported file is of: the piece's ``duration`` in seconds, its sample rate and channels, its metadata."""

    duration: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@runtime_checkable
class ExportingGenerator(Protocol):
    """A generator that knows more of a piece than its sound."""

    def export(
        self, request: GenerationRequest, path: Path, progress: ProgressCallback, cancelled: CancelCheck
    ) -> Exported:
        """Write a file whose suffix is one of EXPORTS; else as ``generate``."""
        ...


def no_progress(progress: Progress) -> None:
    """Ignore progress."""


def never_cancelled() -> bool:
    """Return False: for callers that never cancel."""
    return False
