"""What a file of sound is, as anybody's decoder reads it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

SILENCE = 1e-3


@dataclass(frozen=True)
class Heard:
    """A decoded file: its kind, and what was in it."""

    format: str
    sample_rate: int
    channels: int
    seconds: float
    peak: float

    @property
    def is_silent(self) -> bool:
        return self.peak < SILENCE


def heard(sound: bytes) -> Heard:
    """Decode a file; raises soundfile's error for what is none."""
    with soundfile.SoundFile(io.BytesIO(sound)) as file:
        samples = file.read(always_2d=True)
        peak = float(np.abs(samples).max(initial=0.0))
        return Heard(file.format, file.samplerate, file.channels, len(samples) / file.samplerate, peak)
