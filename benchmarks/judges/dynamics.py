"""How the level of a mix moves: crest, ranges at several time scales, the floor between notes, gaps."""

from __future__ import annotations

import numpy as np

from judges.excerpt import HALF_RATE, RATE, Excerpt, band_pass, centred_mean, decibels, moving_mean, percentile_range

LOW_END_HZ = (40.0, 160.0)


def dynamics(excerpt: Excerpt) -> dict[str, float]:
    """Return the descriptors of level, in dB but the two shares.

    ``lufs`` the window's own loudness, ``crest`` peak over mean; 95th − 10th percentile of the level in 0.2 s
    (``lvl_range``), 10 ms (``micro_range10ms``) and 3 s (``lra3s``); ``floor_p1`` the quietest hundredth of 10 ms
    against the mean; ``gap_share`` the share of 10 ms more than 20 dB below it; ``low_cont`` the share of time in which
    the low end lies within 15 dB of its loudest.
    """
    power = excerpt.mono.astype(np.float64) ** 2
    mean_db = float(decibels(power.mean(), 0.0))
    slow = decibels(moving_mean(power, RATE // 5)[:: RATE // 10], 1e-9)
    fast = decibels(moving_mean(power, 441)[::441], 1e-10)
    phrase = decibels(moving_mean(power, 3 * RATE)[::RATE], 1e-9)
    stereo = excerpt.stereo.astype(np.float64)
    return {
        "lufs": excerpt.loudness_lufs,
        "crest": float(20 * np.log10(np.abs(stereo).max() / np.sqrt((stereo**2).mean()))),
        "lvl_range": percentile_range(slow, 10, 95),
        "micro_range10ms": percentile_range(fast, 10, 95),
        "floor_p1": float(np.percentile(fast, 1)) - mean_db,
        "gap_share": float((fast < mean_db - 20).mean()),
        "lra3s": percentile_range(phrase, 10, 95),
        "low_cont": low_end_continuity(excerpt),
    }


def low_end_continuity(excerpt: Excerpt) -> float:
    """Return the share of time in which the low end lies within 15 dB of its loudest."""
    low = band_pass(excerpt.half_rate.astype(np.float64), LOW_END_HZ, HALF_RATE)
    level = decibels(centred_mean(low**2, 1102)[::220], 1e-9)
    return float((level > np.percentile(level, 95) - 15).mean())
