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


class Hold:
    """A lower rate: each sample is held for ``samples``."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._last: Samples = np.zeros((2, 1), np.float32)

    def apply(self, block: Samples, start: int) -> Samples:
        """Return the held block, (2, n)."""
        line = np.concatenate((self._last, block), axis=1)
        # Counted from the start of the piece, so that block borders do not shift the held samples.
        position = np.arange(start, start + block.shape[1])
        held = line[:, np.maximum(0, position - position % self._samples - start + 1)]
        self._last = held[:, -1:].copy()
        return np.asarray(held, np.float32)


class BitReduction:
    """Fewer bits: ``bits`` for music of RMS ``level``."""

    def __init__(self, bits: int, level: float) -> None:
        self._step = np.float32(level * 8 / 2**bits)

    def apply(self, block: Samples, start: int) -> Samples:  # noqa: ARG002  the same wherever it is
        """Return the quantized block, (2, n)."""
        return np.asarray(np.round(block / self._step) * self._step, np.float32)
