"""Loops through a model that knows no loops: heard with their wrap-around, so that it hears no edge."""

from __future__ import annotations

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.crossfade import crossfaded

WRAP_SECONDS = 4.0
"""How much of a loop's end is heard before its start, and the other way round."""
SEAM_SECONDS = 0.05


def wrap_seconds(duration: float) -> float:
    """Return the length of the wrap-around on each side of a loop of this duration, in seconds."""
    return min(WRAP_SECONDS, duration)


def with_wrap(loop: Audio, seconds: float) -> Audio:
    """Return the loop with its end before its start, and its start after its end."""
    size = round(seconds * loop.sample_rate)
    samples = loop.samples
    return loop.with_samples(np.concatenate([samples[:, -size:], samples, samples[:, :size]], axis=1))


def without_wrap(audio: Audio, seconds: float) -> Audio:
    """Cut the loop out of its wrap-around; its start fades in over what follows its end, so that it goes on there."""
    size, fade = round(seconds * audio.sample_rate), round(SEAM_SECONDS * audio.sample_rate)
    end = audio.num_samples - size
    loop = audio.samples[:, size:end].copy()
    loop[:, :fade] = crossfaded(audio.between(end, end + fade), loop[:, :fade])
    return audio.with_samples(loop)
