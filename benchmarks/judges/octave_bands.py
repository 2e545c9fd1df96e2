"""Where the power of a mix lies, octave by octave: level, range over time, flatness and contrast of each."""

from __future__ import annotations

from collections.abc import Mapping

import librosa
import numpy as np

from judges.excerpt import FRAME, RATE, Excerpt, Matrix, decibels, percentile_range

OCTAVES: Mapping[str, tuple[float, float]] = {
    "31": (20, 45), "63": (45, 90), "125": (90, 180), "250": (180, 355), "500": (355, 710), "1k": (710, 1400),
    "2k": (1400, 2800), "4k": (2800, 5600), "8k": (5600, 11_200), "13k": (11_200, 16_000),
}  # fmt: skip
"""The octaves by their middle, lower and upper edge in Hz."""


def octave_bands(excerpt: Excerpt) -> dict[str, float]:
    """Return the descriptors of all octaves, the spectral centroid in Hz, and the share of power above 10 kHz in dB."""
    magnitude = excerpt.magnitude
    power = magnitude**2
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=FRAME)
    mean_power, whole = power.mean(axis=1), float(power.sum(axis=0).mean())
    found: dict[str, float] = {}
    for name, (low, high) in OCTAVES.items():
        found |= octave(name, power[(frequencies >= low) & (frequencies < high)], whole)
    found["centroid"] = float((frequencies[:, None] * magnitude).sum(0).dot(1 / (magnitude.sum(0) + 1e-30)))
    found["centroid"] /= magnitude.shape[1]
    found["above10k"] = float(decibels(mean_power[frequencies >= 10_000].sum() / whole, 1e-12))
    return found


def octave(name: str, power: Matrix, whole: float) -> dict[str, float]:
    """Describe one octave, ``power`` (bins, frames) of a mix whose frames have the power ``whole`` on average.

    All in dB: ``lev`` its share of the power, ``rng`` the range of its level over time (90th − 10th percentile),
    ``low10`` how far its quiet moments lie below the mean; weighted by power, ``flat`` its flatness (geometric over
    arithmetic mean of the bins; 0 is noise) and ``contr`` its contrast (strongest fifth of the bins over the weakest).
    """
    band = power.sum(axis=0)
    over_time = decibels(band / whole, 1e-7)
    lifted = power + np.float32(1e-12)
    ranked = np.sort(lifted, axis=0)
    fifth = max(1, len(ranked) // 5)
    weights = band + 1e-12
    flatness = 10 * np.log10(np.exp(np.log(lifted).mean(axis=0)) / lifted.mean(axis=0))
    contrast = 10 * np.log10(ranked[-fifth:].mean(axis=0) / ranked[:fifth].mean(axis=0))
    share = band.mean() / whole
    return {
        f"lev_{name}": float(decibels(share, 1e-12)),
        f"rng_{name}": percentile_range(over_time, 10, 90),
        f"low10_{name}": float(np.percentile(over_time, 10) - decibels(share, 1e-9)),
        f"flat_{name}": float(np.average(flatness, weights=weights)),
        f"contr_{name}": float(np.average(contrast, weights=weights)),
    }
