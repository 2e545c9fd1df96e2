"""ITU-R BS.1770-4: the K-weighting filter at any sample rate, and gated loudness from powers at control rate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tunesmith.composer.mix.control_rate import CONTROL, Curve

OFFSET = -0.691
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
SILENCE_LUFS = -120.0


def k_weighting(sample_rate: int) -> npt.NDArray[np.float64]:
    """Return the two second-order sections, (2, 6): the head's shelf, and the high-pass.

    The standard's 48 kHz coefficients carried to other rates by their analogue parameters (B. De Man, 2014).
    """
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0,
        1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0,
    ]  # fmt: skip
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    a0 = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


def gated_loudness(power: Curve, sample_rate: int, samples: int) -> float:
    """Return integrated loudness in LUFS of K-weighted ``power`` (summed over channels, one value a control frame).

    Only whole blocks of 0.4 s count, as the standard says. SILENCE_LUFS for silence.
    """
    total = np.concatenate(([0.0], np.cumsum(power, dtype=np.float64)))
    seconds = samples / sample_rate
    count = max(1, int(round((seconds - BLOCK_SECONDS) / STEP_SECONDS, 6)) + 1)
    starts = np.arange(count) * STEP_SECONDS * sample_rate / CONTROL
    length = min(BLOCK_SECONDS, seconds) * sample_rate / CONTROL
    frames = np.arange(len(total))
    blocks = (np.interp(starts + length, frames, total) - np.interp(starts, frames, total)) / length
    loud = blocks[blocks > 10 ** ((ABSOLUTE_GATE - OFFSET) / 10)]
    if not len(loud):
        return SILENCE_LUFS
    gated = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE / 10)]
    return OFFSET + 10 * math.log10(float(gated.mean()))
