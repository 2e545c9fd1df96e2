"""Noise schedules: the falling noise levels that a sampler walks down, the last of them 0."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

NoiseLevels = npt.NDArray[np.float32]  # (steps + 1,)

FIRST_LOG_SNR, LAST_LOG_SNR = -6.2, 2.0
"""The range of the logarithm of the signal-to-noise ratio, in which Stable Audio 3 takes even steps."""
# The start of sample_rf in stable-audio-tools.
OPEN_FIRST_LOG_SNR = -6.0
MIN_STEPS = 3
"""The fewest steps of a walk that starts from audio."""


def schedule(steps: int, start: float = 1.0) -> NoiseLevels:
    """Return the noise levels of ``steps`` steps from ``start``, above 0 to 1, as the reference of Stable Audio 3 does.

    Below 1 this is not monotonic: the first level is put to ``start``, and the second is often above it.
    """
    times = np.linspace(start, 0, steps + 1, dtype=np.float32)
    levels = np.asarray(1 / (1 + np.exp(LAST_LOG_SNR - times * (LAST_LOG_SNR - FIRST_LOG_SNR))), np.float32)
    # The ends are exact: the logistic curve only approaches 0 and 1.
    levels = np.where(times >= 1, 1, np.where(times <= 0, 0, levels)).astype(np.float32)
    levels[0] = start
    return levels


def open_schedule(steps: int, start: float = 1.0) -> NoiseLevels:
    """Return the noise levels of Stable Audio Open Small from ``start``, above 0 to 1: even in log-SNR, monotonic."""
    first = math.log((1 - start) / start + 1e-6) if start < 1 else OPEN_FIRST_LOG_SNR
    return _from_log_snr(np.linspace(first, LAST_LOG_SNR, steps + 1), start)


def monotonic_schedule(steps: int, strength: float) -> NoiseLevels:
    """Return the noise levels of a walk that starts from audio at ``strength``, 0 to 1, and only falls.

    The levels are even in log-SNR. ``steps`` are those of a whole walk from noise; this one takes its share of them,
    at least 3 where there are as many. At strength 0 there are no steps, and at 1 it is ``schedule``.
    """
    if strength >= 1:
        return schedule(steps)
    if strength <= 0:
        return np.zeros(1, np.float32)
    first = max(math.log((1 - strength) / strength), FIRST_LOG_SNR)
    share = (LAST_LOG_SNR - first) / (LAST_LOG_SNR - FIRST_LOG_SNR)
    # Below 0.12 the start is past the usual end; three short steps are left then.
    last = max(LAST_LOG_SNR, first + 1)
    return _from_log_snr(np.linspace(first, last, max(min(MIN_STEPS, steps), round(steps * share)) + 1), strength)


def exponential_schedule(steps: int, sigma_max: float = 500.0, sigma_min: float = 0.3) -> NoiseLevels:
    """Return the noise levels of Stable Audio Open 1.0: even in the logarithm of sigma, then 0."""
    return np.append(np.exp(np.linspace(math.log(sigma_max), math.log(sigma_min), steps)), 0).astype(np.float32)


def _from_log_snr(log_snr: npt.NDArray[np.float64], start: float) -> NoiseLevels:
    levels = (1 / (1 + np.exp(log_snr))).astype(np.float32)
    levels[0], levels[-1] = start, 0
    return levels
