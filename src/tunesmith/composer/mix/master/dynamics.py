"""Gain curves at control rate: a glue compressor and a look-ahead limiter. Both close in a loop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal

from tunesmith.composer.mix.control_rate import Curve

LOOK_AHEAD_SECONDS = 0.004
HOLD_SECONDS = 0.03
RELEASE_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Compression:
    """Above ``threshold_db`` relative to the piece's loudness, levels grow by 1/``ratio``; times in seconds."""

    threshold_db: float
    ratio: float
    attack: float
    release: float


KNEE_DB = 6.0


def smoothed(values: Curve, frames: float, *, loop: bool) -> Curve:
    """Return ``values`` through a one-pole smoother of time constant ``frames``, run in so that a loop closes."""
    pole = math.exp(-1 / max(frames, 1e-3))
    run_in = values[-min(len(values), round(8 * frames) + 1) :] if loop else values[: round(frames) + 1]
    start = [float(run_in.mean()) * pole]
    if loop:
        _, start = scipy.signal.lfilter([1 - pole], [1, -pole], run_in, zi=start)
    result, _ = scipy.signal.lfilter([1 - pole], [1, -pole], values, zi=start)
    return np.asarray(result, np.float32)


def compressor_gain(power: Curve, loudness: float, how: Compression, rate: float, *, loop: bool) -> Curve:
    """Return the gain for K-weighted ``power`` of a piece of ``loudness`` LUFS, ``rate`` control values a second.

    The level is the larger of a quick and a slow average: quick to catch, slow to let go, and no recursion to unroll.
    """
    quick = smoothed(power, how.attack * rate, loop=loop)
    slow = smoothed(power, how.release * rate, loop=loop)
    level_db = 10 * np.log10(np.maximum(np.maximum(quick * np.float32(0.5), slow), 1e-12)) - loudness
    over = level_db - how.threshold_db
    bent = np.where(
        over > KNEE_DB / 2, over, np.where(over < -KNEE_DB / 2, 0, (over + KNEE_DB / 2) ** 2 / (2 * KNEE_DB))
    )
    return np.asarray(10 ** (-(1 - 1 / how.ratio) * bent / 20), np.float32)


def limiter_gain(peak: Curve, ceiling: float, rate: float, *, loop: bool) -> Curve:
    """Return a smooth gain on the frames' borders, (frames + 1,), that keeps every frame's ``peak`` under ``ceiling``.

    At each border the lowest gain needed from ``hold`` and ``ahead`` frames before to ``ahead`` after it is averaged
    over ``ahead`` frames on either side: every term of that average has seen both frames at the border, so the result
    is never above what they need, and lines between borders are not either.
    """
    needed = np.minimum(1, ceiling / np.maximum(peak, 1e-9))
    ahead, hold = max(2, math.ceil(LOOK_AHEAD_SECONDS * rate)), math.ceil(HOLD_SECONDS * rate)
    reach = 2 * ahead + hold + 2
    wide = np.pad(needed, reach, mode="wrap" if loop else "edge")
    windows = 2 * ahead + hold + 2  # frames i - 1 - ahead - hold … i + ahead
    lowest = scipy.ndimage.minimum_filter1d(wide, windows, origin=1 + ahead + hold - windows // 2, mode="nearest")
    weights = np.hanning(2 * ahead + 3)[1:-1]
    average = scipy.ndimage.convolve1d(lowest, weights / weights.sum(), mode="nearest")
    gain = np.asarray(average[reach : reach + len(peak) + 1], np.float32)
    return np.minimum(gain, smoothed(gain, RELEASE_SECONDS * rate, loop=loop))
