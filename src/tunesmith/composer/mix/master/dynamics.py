"""Gain curves at control rate: a glue compressor and a look-ahead limiter; both are seamless in a loop.

The limiter has two stages, as in mastering: a quick one cuts single peaks down to what the smooth one can take without
pumping. Peaks that low never wake the quick one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.recursive_filters import lfilter_on
from tunesmith.composer.mix.control_rate import Curve

RELEASE_SECONDS = 0.08
MOST_SMOOTH_DB = 8.0
"""The most gain reduction of the smooth stage: it lowers 0.1 s of music, so more of it would pump."""


@dataclass(frozen=True, slots=True)
class LimiterTimes:
    """How long a limiter looks around: it is down ``ahead`` seconds before a peak, and for ``hold`` seconds after.

    ``fewest`` is the least look-ahead in frames.
    """

    ahead: float
    hold: float
    fewest: int


SMOOTH, QUICK = LimiterTimes(0.004, 0.03, 2), LimiterTimes(0.001, 0.0, 1)


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
    start = np.array([float(run_in.mean()) * pole])
    numerator, denominator = np.array([1 - pole]), np.array([1, -pole])
    if loop:
        _, start = lfilter_on(numerator, denominator, run_in, start)
    result, _ = lfilter_on(numerator, denominator, values, start)
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
    """Return a gain at the frame borders, (frames + 1,), that keeps each frame's ``peak`` below ``ceiling``."""
    most = 10 ** (MOST_SMOOTH_DB / 20)
    if float(peak.max(initial=0)) <= ceiling * most:
        return _smooth_gain(peak, ceiling, rate, loop=loop)
    quick = _stage_gain(peak, ceiling * most, rate, QUICK, loop=loop)
    left = peak * np.maximum(quick[1:], quick[:-1])
    return quick * _smooth_gain(left, ceiling, rate, loop=loop)


def _smooth_gain(peak: Curve, ceiling: float, rate: float, *, loop: bool) -> Curve:
    gain = _stage_gain(peak, ceiling, rate, SMOOTH, loop=loop)
    # The smoothed copy only ever lowers the gain: a slow release must not let a peak through.
    return np.minimum(gain, smoothed(gain, RELEASE_SECONDS * rate, loop=loop))


def _stage_gain(peak: Curve, ceiling: float, rate: float, window: LimiterTimes, *, loop: bool) -> Curve:
    """Return the gain of one stage at the frame borders, (frames + 1,).

    At each border, the lowest gain needed from ``hold`` and ``ahead`` frames before it to ``ahead`` after it is
    averaged over ``ahead`` frames on either side. Every term of that average includes both frames at the border, so the
    result is never above what they need, and neither are the lines between borders.
    """
    needed = np.minimum(1, ceiling / np.maximum(peak, 1e-9))
    ahead, hold = max(window.fewest, math.ceil(window.ahead * rate)), math.ceil(window.hold * rate)
    reach = 2 * ahead + hold + 2
    wide = np.pad(needed, reach, mode="wrap" if loop else "edge")
    # Frames i − 1 − ahead − hold … i + ahead.
    lowest = _lowest(wide, 1 + ahead + hold, ahead)
    weights = np.hanning(2 * ahead + 3)[1:-1]
    average = _symmetric_average(lowest, weights / weights.sum())
    return np.asarray(average[reach : reach + len(peak) + 1], np.float32)


def _lowest(values: Curve, before: int, after: int) -> Curve:
    """Return the lowest value from ``before`` frames before each frame to ``after`` behind it; the ends continue."""
    window = before + 1 + after
    lowest, width = np.pad(values, (before, after), mode="edge"), 1
    # Each step doubles the window; the last one lets both halves overlap.
    while width < window:
        step = min(width, window - width)
        lowest, width = np.minimum(lowest[:-step], lowest[step:]), width + step
    return lowest


def _symmetric_average(values: Curve, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ``values`` averaged with ``weights``, an odd number that is the same from both ends; the ends continue."""
    reach, frames = len(weights) // 2, len(values)
    wide = np.pad(values, reach, mode="edge").astype(np.float64)
    average: npt.NDArray[np.float64] = wide[reach : reach + frames] * weights[reach]
    # The outermost first, as in SciPy's convolve1d, so that the sum rounds alike.
    for place in range(reach):
        mirrored = wide[2 * reach - place : 2 * reach - place + frames]
        average += (wide[place : place + frames] + mirrored) * weights[place]
    return average
