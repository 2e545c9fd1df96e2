"""Noise schedules: the falling noise levels that a sampler walks down, the last of them 0."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

NoiseLevels = npt.NDArray[np.float32]  # (steps + 1,)
Warp = Callable[[NoiseLevels], NoiseLevels]
"""Maps evenly spaced times, 1 to 0, to noise levels; times of 0 and 1 stay as they are."""

FIRST_LOG_SNR, LAST_LOG_SNR = -6.2, 2.0
"""The range of the logarithm of the signal-to-noise ratio, in which Stable Audio 3 takes even steps."""
OPEN_FIRST_LOG_SNR = -6.0
REFERENCE_LATENTS = 2_000
FULL_SHORTEST, FULL_LONGEST = 256, 4_096
FULL_SHIFTS = 0.5, 1.15
MIN_STEPS = 3
"""The fewest steps of a walk that starts from audio."""


def log_snr_warp(first: float = FIRST_LOG_SNR, last: float = LAST_LOG_SNR) -> Warp:
    """Return the warp of even steps in log-SNR."""
    return lambda times: np.asarray(1 / (1 + np.exp(last - times * (last - first))), np.float32)


def log_snr_warp_for_length(num_latents: int, anchor: float = FIRST_LOG_SNR, rate: float = 1.0) -> Warp:
    """Return the warp of even steps in log-SNR whose start depends on the number of latents that hold the audio."""
    return log_snr_warp(anchor - rate * math.log2(num_latents / REFERENCE_LATENTS))


def flux_warp(alpha: float) -> Warp:
    """Return the warp of Flux, which stays longer at high noise for ``alpha`` above 1."""
    return lambda times: np.asarray(alpha * times / (1 + (alpha - 1) * times), np.float32)


def full_warp(num_latents: int) -> Warp:
    """Return the warp whose shift grows with the number of latents, 0.5 at 256 to 1.15 at 4,096."""
    length = min(max(num_latents, FULL_SHORTEST), FULL_LONGEST)
    low, high = FULL_SHIFTS
    shift = low + (high - low) * (length - FULL_SHORTEST) / (FULL_LONGEST - FULL_SHORTEST)
    return flux_warp(math.exp(shift))


def schedule(steps: int, start: float = 1.0, warp: Warp | None = None) -> NoiseLevels:
    """Return the noise levels of ``steps`` steps from ``start``, above 0 to 1, as the reference of Stable Audio 3 does.

    Below 1 this is not monotonic: the first level is put to ``start``, and the second is often above it.
    """
    times = np.linspace(start, 0, steps + 1, dtype=np.float32)
    levels = (warp or log_snr_warp())(times)
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
