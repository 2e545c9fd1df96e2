"""Wow and flutter: slow pitch variation, as on a worn tape or an off-centre record."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.control_rate import Curve, sampled
from tunesmith.composer.sound.voice import SAMPLE_RATE

WAVES = ((0.55, 45.0), (1.3, 11.0), (6.1, 1.1))
"""Rate in Hz and delay in samples of each wave: about ±6 cents in all."""


class Wow:
    """A modulated delay, read by cubic interpolation; in a loop of ``period`` samples every wave is seamless."""

    def __init__(self, period: int | None) -> None:
        self._waves = tuple((_closing(rate, period), depth) for rate, depth in WAVES)
        self._depth = sum(depth for _, depth in WAVES)
        self._history = math.ceil(2 * self._depth) + 4
        self._past: Samples = np.zeros((2, self._history), np.float32)

    def apply(self, block: Samples, start: int) -> Samples:
        """Return the block, (2, n), with the pitch variation."""
        line = np.concatenate((self._past, block), axis=1)
        self._past = line[:, -self._history :].copy()
        length = block.shape[1]
        delay = sampled(self._delay, start, start + length)
        whole = np.floor(delay)
        after = np.float32(1) - (delay - whole)
        first = np.arange(self._history - 2, self._history - 2 + length) - whole.astype(np.intp)
        return np.stack([_interpolate(channel, first, after) for channel in line])

    def _delay(self, frames: npt.NDArray[np.int64]) -> Curve:
        seconds = frames / SAMPLE_RATE
        waves = sum(depth * np.sin(2 * np.pi * rate * seconds) for rate, depth in self._waves)
        # Always positive, so that the effect never needs samples of the next block.
        return np.asarray(self._depth + waves + 1, np.float32)


def _closing(rate: float, period: int | None) -> float:
    """Return the rate nearest to ``rate`` that has whole cycles in the loop."""
    if period is None:
        return rate
    seconds = period / SAMPLE_RATE
    # A wave much slower than the loop cannot close, so it is left out.
    return max(1, round(rate * seconds)) / seconds if rate * seconds >= 0.5 else 0.0


def _interpolate(line: Curve, first: npt.NDArray[np.intp], x: Curve) -> Curve:
    """Return ``line`` between its samples ``first + 1`` and ``first + 2``, at fraction ``x`` (Catmull-Rom), (n,)."""
    a, b, c, d = (line.take(first + offset, mode="clip") for offset in range(4))
    half = np.float32(0.5)
    # In single precision throughout: one array of integers among these would make every term double.
    curve = (d - a) * half
    curve += (b - c) * np.float32(1.5)
    curve *= x
    curve += a - b * np.float32(2.5) + c * np.float32(2) - d * half
    curve *= x
    curve += (c - a) * half
    curve *= x
    return np.asarray(b + curve, np.float32)
