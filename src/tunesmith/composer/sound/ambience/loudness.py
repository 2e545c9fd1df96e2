"""Loudness by ITU-R BS.1770: K-weighting, so that all textures are equally loud to the ear."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.voice import SAMPLE_RATE


def _shelf() -> npt.NDArray[np.float64]:
    """Return the head's high shelf: +4 dB above 1.68 kHz."""
    turn, gain, quality = np.tan(np.pi * 1681.974 / SAMPLE_RATE), 10 ** (3.999844 / 20), 0.7071752
    middle = gain**0.4996667741545416
    scale = 1 + turn / quality + turn**2
    numerator = (
        gain + middle * turn / quality + turn**2,
        2 * (turn**2 - gain),
        gain - middle * turn / quality + turn**2,
    )
    coefficients = np.array([*numerator, scale, 2 * (turn**2 - 1), 1 - turn / quality + turn**2])
    return np.asarray(coefficients / scale, np.float64)


def _high_pass() -> npt.NDArray[np.float64]:
    """Return the ear's high pass at 38 Hz."""
    turn, quality = np.tan(np.pi * 38.13547 / SAMPLE_RATE), 0.5003270
    scale = 1 + turn / quality + turn**2
    return np.array([1, -2, 1, 1, 2 * (turn**2 - 1) / scale, (1 - turn / quality + turn**2) / scale])


def loudness_lufs(sound: Samples) -> float:
    """Return the ungated loudness of (channels, samples) at SAMPLE_RATE."""
    from scipy.signal import sosfilt

    weighted = sosfilt(np.vstack([_shelf(), _high_pass()]).astype(np.float32), sound)
    return float(-0.691 + 10 * np.log10(max(1e-12, float(np.sum(np.mean(weighted**2, axis=1))))))
