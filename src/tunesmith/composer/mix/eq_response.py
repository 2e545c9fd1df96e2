"""Equalisers as frequency responses, which multiply a spectrum instead of running sample by sample.

Second-order sections after R. Bristow-Johnson's Audio EQ Cookbook, evaluated at the bins of a real FFT. Their impulse
responses decay far within the overlap of the overlap-add, so the circular product is exact enough.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tunesmith.composer.sound.voice import SAMPLE_RATE

# (bins,) or (2, bins).
Response = npt.NDArray[np.complex64]
# The same in double precision.
Bins = npt.NDArray[np.complex128]
# In the order b0 b1 b2 a0 a1 a2.
Coefficients = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Band:
    """An EQ band: ``kind`` at ``frequency`` Hz, ``gain_db`` of shelves and peaks, ``q`` for slope or bandwidth."""

    kind: Literal["high_pass", "low_pass", "low_shelf", "high_shelf", "peak"]
    frequency: float
    gain_db: float = 0.0
    q: float = 0.707


def coefficients(band: Band) -> Coefficients:
    """Return the biquad coefficients of ``band`` at the composer's rate."""
    w = 2 * math.pi * band.frequency / SAMPLE_RATE
    cosine, alpha = math.cos(w), math.sin(w) / (2 * band.q)
    if band.kind in ("high_pass", "low_pass"):
        sign = 1 if band.kind == "high_pass" else -1
        edge = (1 + sign * cosine) / 2
        return edge, -sign * 2 * edge, edge, 1 + alpha, -2 * cosine, 1 - alpha
    a = 10 ** (band.gain_db / 40)
    if band.kind == "peak":
        return 1 + alpha * a, -2 * cosine, 1 - alpha * a, 1 + alpha / a, -2 * cosine, 1 - alpha / a
    sign = 1 if band.kind == "high_shelf" else -1
    slope = 2 * math.sqrt(a) * alpha
    return (
        a * ((a + 1) + sign * (a - 1) * cosine + slope),
        -sign * 2 * a * ((a - 1) + sign * (a + 1) * cosine),
        a * ((a + 1) + sign * (a - 1) * cosine - slope),
        (a + 1) - sign * (a - 1) * cosine + slope,
        sign * 2 * ((a - 1) - sign * (a + 1) * cosine),
        (a + 1) - sign * (a - 1) * cosine - slope,
    )


def response(bands: tuple[Band, ...], size: int) -> Response:
    """Return the product of the bands' responses at the ``size // 2 + 1`` bins of an FFT of ``size``."""
    delay = _delay(size)
    # Double precision: at low frequencies, a biquad is a ratio of two numbers near zero.
    total = np.ones(len(delay), np.complex128)
    for band in bands:
        b0, b1, b2, a0, a1, a2 = coefficients(band)
        total *= _polynomial(delay, b0, b1, b2) / _polynomial(delay, a0, a1, a2)
    return total.astype(np.complex64)


def _polynomial(delay: Bins, first: float, second: float, third: float) -> Bins:
    """Return ``first + second · delay + third · delay²``, without arrays for the terms."""
    value: Bins = delay * third
    value += second
    value *= delay
    value += first
    return value


# All strips of a piece have one size.
@functools.lru_cache(maxsize=1)
def _delay(size: int) -> Bins:
    """Return the response of a delay by one sample, (size // 2 + 1,), read-only."""
    delay: Bins = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    delay.flags.writeable = False
    return delay
