"""Loudness by ITU-R BS.1770: K-weighting, so that all textures are equally loud to the ear."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.k_weighting import OFFSET_LUFS, Shelf, k_weighting
from tunesmith.audio.recursive_filters import sosfilt
from tunesmith.composer.sound.voice import SAMPLE_RATE

# Rounded as they always were here: with the exact numbers every ambience would have other bytes.
ROUNDED_HEAD = Shelf(1681.974, 3.999844, 0.7071752)


def loudness_lufs(sound: Samples) -> float:
    """Return the ungated loudness of (channels, samples) at SAMPLE_RATE."""
    weighted = sosfilt(k_weighting(SAMPLE_RATE, ROUNDED_HEAD).astype(np.float32), sound)
    return float(OFFSET_LUFS + 10 * np.log10(max(1e-12, float(np.sum(np.mean(weighted**2, axis=1))))))
