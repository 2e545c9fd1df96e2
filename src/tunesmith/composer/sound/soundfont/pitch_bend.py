"""Pitch bend within a note: slides, vibrato and pitch envelopes, by reading a waveform at a varying speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.voice import SAMPLE_RATE

GLIDE_SECONDS = 0.1
VIBRATO_DELAY, VIBRATO_SWELL, VIBRATO_HZ = 0.3, 0.5, 5.3
# Samples between the points at which the pitch is computed.
_CONTROL = 32


@dataclass(frozen=True, slots=True)
class Bend:
    """The pitch movement of a note.

    ``glide`` is the interval in semitones from which it slides in; ``vibrato_cents`` is the depth of a vibrato at
    ``vibrato_hz`` that grows after a delay.
    """

    glide: float = 0.0
    vibrato_cents: float = 0.0
    vibrato_hz: float = VIBRATO_HZ

    def cents(self, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the deviation in cents at each time in ``seconds``."""
        arrived = np.clip(seconds / GLIDE_SECONDS, 0, 1)
        cents = 100 * self.glide * (0.5 + 0.5 * np.cos(np.pi * arrived))
        swell = np.clip((seconds - VIBRATO_DELAY) / VIBRATO_SWELL, 0, 1)
        sway = np.sin(2 * math.pi * self.vibrato_hz * np.maximum(0, seconds - VIBRATO_DELAY))
        return np.asarray(cents + self.vibrato_cents * swell * sway)

    def moves(self, seconds: float) -> bool:
        """Return whether a note of this length is bent at all."""
        return self.glide != 0 or (self.vibrato_cents != 0 and seconds > VIBRATO_DELAY + VIBRATO_SWELL / 2)

    def positions(self, length: int) -> npt.NDArray[np.float64]:
        """Return the position in the waveform at which each of ``length`` output samples is read."""
        points = np.arange(0, length + _CONTROL, _CONTROL)
        # The drift is summed rather than the position itself, which keeps the sum small and exact.
        drift = (2 ** (self.cents((points + _CONTROL / 2) / SAMPLE_RATE) / 1200) - 1) * _CONTROL
        offsets = np.concatenate([[0.0], np.cumsum(drift)[:-1]])
        moments = np.arange(length)
        return np.asarray(moments + np.interp(moments, points, offsets))


def read_at(waveform: Floats, positions: npt.NDArray[np.float64]) -> Floats:
    """Return the waveform at ``positions``, interpolated by a third-order Hermite curve through four samples."""
    whole = positions.astype(np.int64)
    np.clip(whole, 1, len(waveform) - 3, out=whole)
    part = (positions - whole).astype(np.float32)
    before, here, after, beyond = (np.take(waveform, whole + step) for step in (-1, 0, 1, 2))
    slope = np.float32(0.5) * (after - before)
    second = before - np.float32(2.5) * here + 2 * after - np.float32(0.5) * beyond
    third = np.float32(0.5) * (beyond - before) + np.float32(1.5) * (here - after)
    return np.asarray(((third * part + second) * part + slope) * part + here, np.float32)
