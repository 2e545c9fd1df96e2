"""A guitar amplifier: distortion between a high-pass that tightens the bass and a speaker cabinet."""

from __future__ import annotations

import numpy as np
import soxr

from tunesmith.audio.buffer import Samples
from tunesmith.audio.recursive_filters import sosfilt
from tunesmith.composer.sound.soundfont.filters import bell, high_pass, low_pass
from tunesmith.composer.sound.voice import SAMPLE_RATE

_OVERSAMPLING = 2
# Asymmetric clipping adds the even harmonics of tubes.
_BIAS = np.float32(0.12)


def amplify(sound: Samples, drive_db: float) -> Samples:
    """Distort (2, samples) by ``drive_db`` as one speaker would sound: the same signal left and right."""
    tight = sosfilt(np.concatenate([high_pass(110), bell(750, 5)]).astype(np.float32), sound.mean(axis=0))
    # Oversampled, because the harmonics that clipping adds would alias.
    fine = soxr.resample(tight, SAMPLE_RATE, SAMPLE_RATE * _OVERSAMPLING, quality="MQ")
    clipped = np.tanh(fine * np.float32(10 ** (drive_db / 20)) + _BIAS) - np.tanh(_BIAS)
    coarse = soxr.resample(clipped, SAMPLE_RATE * _OVERSAMPLING, SAMPLE_RATE, quality="MQ")[: sound.shape[1]]
    cabinet = [high_pass(75), bell(120, 3), bell(450, -4), bell(2_400, 5), low_pass(4_800), low_pass(5_200)]
    spoken = sosfilt(np.concatenate(cabinet).astype(np.float32), coarse)
    spoken[-min(512, len(spoken)) :] *= np.linspace(1, 0, min(512, len(spoken)), dtype=np.float32)
    return np.stack([spoken, spoken]).astype(np.float32)
