"""The octaves in which the mixer weighs a mix, and an equaliser with a gain for each of them."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import numpy.typing as npt

from tunesmith.audio.fourier import irfft, rfft
from tunesmith.composer.mix.eq_response import Response
from tunesmith.composer.sound.voice import SAMPLE_RATE

EDGES = (20.0, 45.0, 90.0, 180.0, 355.0, 710.0, 1400.0, 2800.0, 5600.0, 11_200.0, 16_000.0)
"""The borders of the octaves in Hz; the last one is half an octave, as hearing ends there."""

MIDDLES = tuple(math.sqrt(low * high) for low, high in itertools.pairwise(EDGES))

# (octaves,), or (..., octaves).
Octaves = npt.NDArray[np.float64]

K_WEIGHTING_DB = (-7.8, -2.7, -0.7, -0.2, 0.1, 0.8, 3.0, 3.9, 4.0, 4.0)
"""The mean gain of the loudness filter of BS.1770 in each octave."""

GRID = 16_384
"""The size of the FFT on which a response is designed."""


def in_octaves(power: npt.NDArray[np.floating]) -> Octaves:
    """Return the sum of each octave of a power spectrum, (..., bins of a real FFT): (..., octaves)."""
    frequency = np.arange(power.shape[-1]) * (SAMPLE_RATE / 2 / (power.shape[-1] - 1))
    inside = [(frequency >= low) & (frequency < high) for low, high in itertools.pairwise(EDGES)]
    return np.stack([power[..., octave].sum(axis=-1, dtype=np.float64) for octave in inside], axis=-1)


def heard_power(energies: Octaves) -> Octaves:
    """Return the power, as loudness weighs it, of (..., 2, octaves), the middle and the sides: (...)."""
    return np.asarray((energies * 10 ** (np.array(K_WEIGHTING_DB) / 10)).sum(axis=(-2, -1)))


@functools.lru_cache(maxsize=8)
def octave_response(gains_db: tuple[float, ...], size: int) -> Response:
    """Return the response, (size // 2 + 1,), of an equaliser with a gain for each octave, straight between them.

    It has minimum phase: nothing sounds before its time. Its impulse response is half of GRID long.
    """
    frequency = np.maximum(np.arange(GRID // 2 + 1), 1) * (SAMPLE_RATE / GRID)
    level = np.interp(np.log(frequency), np.log(MIDDLES), gains_db) * (np.log(10) / 20)
    # The phase of a minimum-phase response is the Hilbert transform of its log magnitude: fold the cepstrum.
    cepstrum = irfft(level.astype(np.complex128), GRID)
    cepstrum[1 : GRID // 2] *= 2
    cepstrum[GRID // 2 + 1 :] = 0
    impulse = irfft(np.exp(rfft(cepstrum)), GRID)[: GRID // 2]
    impulse[-1024:] *= np.linspace(1, 0, 1024)
    return np.asarray(rfft(impulse.astype(np.float32), size), np.complex64)
