"""Gain curves at control rate: a glue compressor and a look-ahead limiter; both are seamless in a loop."""

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
    """A compression curve.

    Above ``threshold_db`` relative to the piece's loudness, levels grow by 1/``ratio``; times are in seconds.
    """

    threshold_db: float
    ratio: float
    attack: float
    release: float


KNEE_DB = 6.0


def smoothed(values: Curve, frames: float, *, loop: bool) -> Curve:
    """Return ``values`` through a one-pole smoother with a time constant of ``frames``, seamless in a loop."""
    pole = math.exp(-1 / max(frames, 1e-3))
    # A loop starts with the state that its own end leaves: eight time constants are enough to reach it.
    run_in = values[-min(len(values), round(8 * frames) + 1) :] if loop else values[: round(frames) + 1]
    start = [float(run_in.mean()) * pole]
    if loop:
        _, start = scipy.signal.lfilter([1 - pole], [1, -pole], run_in, zi=start)
    result, _ = scipy.signal.lfilter([1 - pole], [1, -pole], values, zi=start)
    return np.asarray(result, np.float32)


def compressor_gain(power: Curve, loudness: float, how: Compression, rate: float, *, loop: bool) -> Curve:
    """Return the gain for K-weighted ``power`` of a piece of ``loudness`` LUFS, at ``rate`` control values per second.

    The level is the larger of a fast and a slow average: it catches quickly and releases slowly, without a recursion
    per value.
    """
    quick = smoothed(power, how.attack * rate, loop=loop)
    slow = smoothed(power, how.release * rate, loop=loop)
    level_db = 10 * np.log10(np.maximum(np.maximum(quick * np.float32(0.5), slow), 1e-12)) - loudness
    over = level_db - how.threshold_db
    # A quadratic knee joins both straight lines without a corner in the curve.
    bent = np.where(
        over > KNEE_DB / 2, over, np.where(over < -KNEE_DB / 2, 0, (over + KNEE_DB / 2) ** 2 / (2 * KNEE_DB))
    )
    return np.asarray(10 ** (-(1 - 1 / how.ratio) * bent / 20), np.float32)


def limiter_gain(peak: Curve, ceiling: float, rate: float, *, loop: bool) -> Curve:
    """Return a smooth gain at the frame borders, (frames + 1,), that keeps each frame's ``peak`` below ``ceiling``.

    At each border, the lowest gain needed from ``hold`` and ``ahead`` frames before it to ``ahead`` after it is
    averaged over ``ahead`` frames on either side. Every term of that average includes both frames at the border, so the
    result is never above what they need, and neither are the lines between borders.
    """
    needed = np.minimum(1, ceiling / np.maximum(peak, 1e-9))
    ahead, hold = max(2, math.ceil(LOOK_AHEAD_SECONDS * rate)), math.ceil(HOLD_SECONDS * rate)
    reach = 2 * ahead + hold + 2
    wide = np.pad(needed, reach, mode="wrap" if loop else "edge")
    # Frames i − 1 − ahead − hold … i + ahead.
    windows = 2 * ahead + hold + 2
    lowest = scipy.ndimage.minimum_filter1d(wide, windows, origin=1 + ahead + hold - windows // 2, mode="nearest")
    weights = np.hanning(2 * ahead + 3)[1:-1]
    average = scipy.ndimage.convolve1d(lowest, weights / weights.sum(), mode="nearest")
    gain = np.asarray(average[reach : reach + len(peak) + 1], np.float32)
    # The smoothed copy only ever lowers the gain: a slow release must not let a peak through.
    return np.minimum(gain, smoothed(gain, RELEASE_SECONDS * rate, loop=loop))
