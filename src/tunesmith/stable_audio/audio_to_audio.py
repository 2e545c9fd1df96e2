"""Audio-to-audio: the noise level that a walk from existing audio starts at, and its steps down."""

from __future__ import annotations

import math

from tunesmith.request import NoiseSchedule
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.schedules import (
    MIN_STEPS,
    NoiseLevels,
    exponential_schedule,
    monotonic_schedule,
    open_schedule,
    schedule,
)

SIGMA_MAX, SIGMA_MIN = 500.0, 0.3
"""The range of Stable Audio Open 1.0's noise, which is added to the latents at their full level."""


def noise_levels(
    architecture: StableAudioArchitecture, steps: int, strength: float | None = None, kind: NoiseSchedule = "monotonic"
) -> NoiseLevels:
    """Return the noise levels of a walk: from noise, or from audio at ``strength`` 0 to 1.

    ``steps`` are those of a walk from noise. The reference schedule of Stable Audio 3 is not monotonic below 1: its
    second level is above the strength.
    """
    if architecture.objective == "v":
        return _levels_of_sigma(steps, strength)
    start = 1.0 if strength is None else strength
    if start == 0 or (start < 1 and kind == "monotonic"):
        return monotonic_schedule(steps, start)
    return schedule(steps, start) if architecture.is_stable_audio_3 else open_schedule(steps, start)


def _levels_of_sigma(steps: int, strength: float | None) -> NoiseLevels:
    """Return the levels whose first one is as much louder than the audio as noise at ``strength`` is in a mix."""
    if strength == 0:
        return monotonic_schedule(steps, 0.0)
    # In a mix of (1 - s) audio and s noise, the noise is s / (1 - s) times as loud as the audio.
    sigma = SIGMA_MAX if strength in (None, 1) else min(SIGMA_MAX, strength / (1 - strength))
    if sigma == SIGMA_MAX:
        return exponential_schedule(steps, SIGMA_MAX, SIGMA_MIN)
    # The levels are even in log sigma, so a walk that starts lower takes its share of them.
    share = math.log(sigma / SIGMA_MIN) / math.log(SIGMA_MAX / SIGMA_MIN)
    # A start below the usual last level still needs a lower level to walk to.
    return exponential_schedule(max(min(MIN_STEPS, steps), round(steps * share)), sigma, min(SIGMA_MIN, sigma / 2))
