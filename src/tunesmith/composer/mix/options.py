"""The caller's options of a mix, beside the score's own MixSettings."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunesmith.composer.render import usable_threads
from tunesmith.composer.sound.voice import SAMPLE_RATE

BLOCK = 163_840
"""Samples rendered at a time (3.7 s): with the reverbs' overlap, nearly the cheapest FFT per sample."""

FEWEST_BLOCKS = 4
"""The shortest piece, in blocks, that is rendered in several threads."""


@dataclass(frozen=True, slots=True)
class MixOptions:
    """The options of a mix.

    ``sample_rate`` in Hz and ``channels`` (1 or 2) are those of the result, ``intensity`` 0–1 is that of the
    performance (None: as written). ``block`` is the number of samples rendered at a time, ``threads`` the number of
    threads; they affect only memory and speed.
    """

    sample_rate: int = SAMPLE_RATE
    channels: int = 2
    intensity: float | None = None
    block: int = BLOCK
    threads: int = field(default_factory=usable_threads)

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise ValueError(f"channels must be 1 or 2, got {self.channels}")
        if self.block < 1024:
            raise ValueError(f"block must be at least 1024 samples, got {self.block}")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")

    def threads_for(self, length: int) -> int:
        """Return the number of threads for a piece of ``length`` samples at the composer's rate."""
        # A short piece is over before threads have paid for their switching.
        return self.threads if length >= FEWEST_BLOCKS * self.block else 1
