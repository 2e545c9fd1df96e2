"""Second-order filters as SciPy sections: low-pass, high-pass and peaking (Bristow-Johnson, Audio EQ Cookbook)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tunesmith.composer.instruments import Timbre
from tunesmith.composer.sound.voice import SAMPLE_RATE

Sections = npt.NDArray[np.float64]
PRESENCE_HZ = 3_000.0


def low_pass(cutoff_hz: float, resonance_db: float = 0.0) -> Sections:
    """Return (1, 6) sections: −3 dB at the cutoff when ``resonance_db`` is 0, else a peak of about that height."""
    cosine, alpha = _angle(cutoff_hz, math.sqrt(0.5) * 10 ** (resonance_db / 20))
    side = (1 - cosine) / 2
    # The standard lowers the whole by half of the peak, so that resonant sounds are not louder.
    level = 10 ** (-resonance_db / 40)
    return _section(level * side, level * 2 * side, level * side, 1 + alpha, -2 * cosine, 1 - alpha)


def high_pass(cutoff_hz: float) -> Sections:
    """Return (1, 6) sections with −3 dB at the cutoff."""
    cosine, alpha = _angle(cutoff_hz, math.sqrt(0.5))
    side = (1 + cosine) / 2
    return _section(side, -2 * side, side, 1 + alpha, -2 * cosine, 1 - alpha)


def bell(centre_hz: float, gain_db: float, quality: float = 0.9) -> Sections:
    """Return (1, 6) sections that boost or cut around ``centre_hz``."""
    cosine, alpha = _angle(centre_hz, quality)
    root = 10 ** (gain_db / 40)
    return _section(1 + alpha * root, -2 * cosine, 1 - alpha * root, 1 + alpha / root, -2 * cosine, 1 - alpha / root)


def timbre_sections(timbre: Timbre) -> list[Sections]:
    """Return the filters of a timbre; none if it leaves the sound as recorded."""
    sections = []
    if timbre.low_pass_hz:
        sections.append(low_pass(timbre.low_pass_hz))
    if timbre.high_pass_hz:
        sections.append(high_pass(timbre.high_pass_hz))
    if timbre.body_db:
        sections.append(bell(timbre.body_hz, timbre.body_db))
    if timbre.presence_db:
        sections.append(bell(PRESENCE_HZ, timbre.presence_db))
    return sections


def _angle(frequency_hz: float, quality: float) -> tuple[float, float]:
    # Capped below Nyquist, where the bilinear transform would make the filter unstable.
    angle = 2 * math.pi * min(frequency_hz, 0.45 * SAMPLE_RATE) / SAMPLE_RATE
    return math.cos(angle), math.sin(angle) / (2 * quality)


def _section(*coefficients: float) -> Sections:
    return np.array([coefficients]) / coefficients[3]
