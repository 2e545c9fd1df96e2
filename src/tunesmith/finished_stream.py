"""FinishedStream: a piece that is made as a whole, as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.audio.buffer import Samples


class FinishedStream:
    """The stream of a finished sound; see MusicStream."""

    def __init__(self, audio: Audio) -> None:
        self._audio = audio
        self.sample_rate, self.channels, self.num_samples = audio.sample_rate, audio.channels, audio.num_samples
        self.metadata: Mapping[str, Any] = audio.metadata
        self.is_early = False

    def blocks(self) -> Iterator[Samples]:
        """Yield the sound in blocks."""
        return self._audio.blocks()

    def audio(self) -> Audio:
        """Return the sound."""
        return self._audio

    def close(self) -> None:
        """Do nothing: the work is done."""
