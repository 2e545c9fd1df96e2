"""Fourier features of a number: cosines and sines at frequencies spaced evenly in the logarithm."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tunesmith.stable_audio.architecture import FOURIER_FEATURES

# The range of the reference's exponential features, in cycles.
LOWEST, HIGHEST = 0.5, 10_000.0


def fourier_features(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features (values, 256), first the cosines, of numbers from 0 to 1.

    float32 keeps about three digits of a phase at the highest frequency, so the order of the products is the
    reference's.
    """
    angles = values[:, None] * frequencies() * np.float32(2) * np.float32(math.pi)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def frequencies() -> NDArray[np.float32]:
    """Return the 128 frequencies in cycles."""
    low, high = math.log(LOWEST), math.log(HIGHEST)
    evenly = np.linspace(0, 1, FOURIER_FEATURES // 2, dtype=np.float32)
    spaced: NDArray[np.float32] = np.exp(evenly * np.float32(high - low) + np.float32(low))
    return spaced
