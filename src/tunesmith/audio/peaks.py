"""Peaks: the outline of a sound for drawing, measured once at a fine resolution and pooled for each drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.audio.buffer import Audio

MAX_POINTS = 4096
FULL_SCALE = 255
"""The number that stands for an amplitude of 1.0."""
_LEAST_SHOWN = 1e-6

Outline = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Peaks:
    """The outline of a sound: ``peak`` and ``rms`` amplitude of each stretch, (points,), 0 to FULL_SCALE."""

    peak: Outline
    rms: Outline

    def pooled(self, points: int) -> Peaks:
        """Return the outline in fewer points, 1 to the number that it has."""
        starts = np.arange(points) * len(self.peak) // points
        lengths = np.diff(np.append(starts, len(self.peak)))
        power = np.add.reduceat(self.rms.astype(np.float64) ** 2, starts) / lengths
        return Peaks(np.maximum.reduceat(self.peak, starts), np.sqrt(power).round().astype(np.uint8))

    def to_bytes(self) -> bytes:
        """Return the outline as bytes that ``from_bytes`` reads."""
        return self.peak.tobytes() + self.rms.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> Peaks:
        """Return the outline of bytes; raise ValueError for a number of bytes that ``to_bytes`` does not give."""
        both = np.frombuffer(content, np.uint8)
        if not both.size or both.size % 2:
            raise ValueError(f"an outline has two rows of the same length, got {both.size} bytes")
        peak, rms = both.reshape(2, -1)
        return cls(peak, rms)


def measure_peaks(audio: Audio, points: int = MAX_POINTS) -> Peaks:
    """Measure the outline of a sound over all channels, in at most ``points`` stretches of nearly equal length."""
    count = max(1, min(points, audio.num_samples))
    peak, power = np.zeros(count), np.zeros(count)
    at = 0
    for block in audio.blocks():
        # The stretch of each sample; a block seldom ends where a stretch does.
        stretches = np.arange(at, at + block.shape[1]) * count // max(1, audio.num_samples)
        starts = np.flatnonzero(np.diff(stretches, prepend=-1))
        heard = stretches[starts]
        peak[heard] = np.maximum(peak[heard], np.maximum.reduceat(np.abs(block).max(axis=0), starts))
        power[heard] += np.add.reduceat(np.mean(block.astype(np.float64) ** 2, axis=0), starts)
        at += block.shape[1]
    lengths = np.diff(np.ceil(np.arange(count + 1) * audio.num_samples / count))
    return Peaks(_scaled(peak), _scaled(np.sqrt(power / np.maximum(1, lengths))))


def _scaled(amplitude: NDArray[np.float64]) -> Outline:
    # Rounded up from silence: what sounds is seen.
    steps = np.where(amplitude > _LEAST_SHOWN, np.maximum(1, np.round(amplitude * FULL_SCALE)), 0)
    return np.minimum(steps, FULL_SCALE).astype(np.uint8)
