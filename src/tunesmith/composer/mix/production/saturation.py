"""Waveshaping effects. All are odd functions, so that none leaves an offset behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio.buffer import Samples


@dataclass(frozen=True, slots=True)
class Saturation:
    """Soft clipping; ``drive`` is the gain into the curve for music of RMS ``level``, ``mix`` 0–1 the wet share."""

    drive: float
    level: float
    mix: float = 1.0

    def apply(self, block: Samples, start: int) -> Samples:  # noqa: ARG002  the same wherever it is
        """Return the saturated block, (2, n), with small signals unchanged."""
        gain = np.float32(self.drive * 0.2 / self.level)
        bent = np.tanh(block * gain)
        bent *= np.float32(self.mix) / gain
        bent += block * np.float32(1 - self.mix)
        return np.asarray(bent, np.float32)


class BitCrush:
    """Fewer bits and a lower rate: ``bits`` for music of RMS ``level``, each sample held for ``hold`` samples."""

    def __init__(self, bits: int, hold: int, level: float) -> None:
        self._step = np.float32(level * 8 / 2**bits)
        self._hold = hold
        self._last: Samples = np.zeros((2, 1), np.float32)

    def apply(self, block: Samples, start: int) -> Samples:
        """Return the crushed block, (2, n)."""
        held = np.concatenate((self._last, block), axis=1)
        # Counted from the start of the piece, so that block borders do not shift the held samples.
        position = np.arange(start, start + block.shape[1])
        source = np.maximum(0, position - position % self._hold - start + 1)
        crushed = held[:, source]
        self._last = crushed[:, -1:].copy()
        return np.asarray(np.round(crushed / self._step) * self._step, np.float32)
