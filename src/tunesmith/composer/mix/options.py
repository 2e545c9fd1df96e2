"""How a score is to be mixed: the caller's side, where MixSettings is the score's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.composer.sound.voice import SAMPLE_RATE

BLOCK = 163_840
"""Samples rendered at a time (3.7 s): with the reverbs' overlap about the cheapest FFT a sample."""


@dataclass(frozen=True, slots=True)
class MixOptions:
    """``sample_rate`` in Hz and ``channels`` (1 or 2) of the result, the ``intensity`` 0–1 it is played at (None: as
    written), and ``block``, the samples rendered at a time, which changes nothing but memory and speed."""

    sample_rate: int = SAMPLE_RATE
    channels: int = 2
    intensity: float | None = None
    block: int = BLOCK

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise ValueError(f"channels must be 1 or 2, got {self.channels}")
        if self.block < 1024:
            raise ValueError(f"block must be at least 1024 samples, got {self.block}")
