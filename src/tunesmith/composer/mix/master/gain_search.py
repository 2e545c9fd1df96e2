"""The search for the gain curve that meets loudness and ceiling, with more compression only where necessary."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace

import numpy as np

from tunesmith.composer.mix.control_rate import CONTROL, Curve
from tunesmith.composer.mix.master.dynamics import Compression, compressor_gain, limiter_gain
from tunesmith.composer.mix.master.loudness_frames import SILENCE_LUFS, Frames, gated_loudness

DENSITIES = (
    Compression(0.0, 1.6, attack=0.02, release=0.12),
    Compression(-2.5, 2.2, attack=0.008, release=0.12),
    Compression(-4.0, 2.8, attack=0.006, release=0.1),
    Compression(-6.0, 3.5, attack=0.005, release=0.1),
    Compression(-10.0, 5.0, attack=0.004, release=0.08),
    Compression(-20.0, 10.0, attack=0.002, release=0.06),
    Compression(-40.0, 20.0, attack=0.001, release=0.04),
)
"""From glue to levelling; where limiting is hard, one of the first six or one between two of them is used."""

CEILING_DB = -1.8
"""The limiter's ceiling, below −1 dBTP, because other meters interpolate differently and lossy formats move the peaks.

It also sets the crest factor: at −14 LUFS a busy band has about 13–14 dB, as finished records do.
"""

HARD_LIMITING_DB = 8.0
"""Where the limiter reduces a thousandth of the frames by more than this, there is more compression than glue."""

DENSER_PER_DB = 2.0
"""How many DENSITIES further each decibel of hard limiting leads: such music has loud drums and little between them."""

HARDEST = 5
"""How far hard limiting may lead; what lies behind is for loudness that cannot be reached otherwise."""

TOLERANCE = 0.05
MOST_GAIN_DB = 80.0
MOST_RAISED_DB = 4.0
"""How far a louder stretch may lie above the piece's loudness; a short one would otherwise be squashed."""
ROUNDS = 16


@dataclass(frozen=True, slots=True)
class MasterSettings:
    """What decides the gain of a whole piece: its ``loudness`` in LUFS, its compression, and the gain into the limiter.

    ``makeup`` is linear.
    """

    loudness: float
    density: Compression
    makeup: float


@dataclass(frozen=True, slots=True)
class Levels:
    """A gain at every frame border, (frames + 1,), with its result.

    ``loudness`` is in LUFS; ``limiting_db`` is the limiter's gain reduction in dB at its busiest thousandth;
    ``settings`` are None for silence.
    """

    gain: Curve
    loudness: float
    limiting_db: float
    settings: MasterSettings | None = None


def find_gain(frames: Frames, target: float, *, loop: bool, fader: Curve | None = None) -> Levels:
    """Return the gentlest levels that reach ``target`` LUFS, or those nearest to it.

    ``fader`` is a gain behind the limiter, (frames + 1,); where it leaves too little, the piece stays below ``target``.
    """
    loudness = gated_loudness(frames.power, frames.sample_rate, frames.samples)
    # Silence has no loudness to raise.
    if loudness <= SILENCE_LUFS:
        return Levels(np.ones(len(frames.power) + 1, np.float32), loudness, 0.0)
    if fader is not None:
        target -= max(0.0, loudness - _loudness(frames, fader) - MOST_RAISED_DB)
    best = _levels_at(frames, loudness, DENSITIES[0], target, fader, loop=loop)
    place = 0.0
    if (hard := best.limiting_db - HARD_LIMITING_DB) > 0:
        # A small error of a forecast must make a small difference, so there is no step between two densities.
        place = min(HARDEST, DENSER_PER_DB * hard)
        best = _levels_at(frames, loudness, _between(place), target, fader, loop=loop)
    for density in DENSITIES[math.floor(place) + 1 :]:
        if abs(best.loudness - target) <= TOLERANCE:
            break
        levels = _levels_at(frames, loudness, density, target, fader, loop=loop)
        if abs(levels.loudness - target) < abs(best.loudness - target) - TOLERANCE:
            best = levels
    return best


def _between(place: float) -> Compression:
    """Return the density at a ``place`` in DENSITIES, or between two of them."""
    first = math.floor(place)
    less, more, share = DENSITIES[first], DENSITIES[first + 1], place - first
    values = zip(astuple(less), astuple(more), strict=True)
    return Compression(*((1 - share) * one + share * other for one, other in values))


def _levels_at(
    frames: Frames, loudness: float, density: Compression, target: float, fader: Curve | None, *, loop: bool
) -> Levels:
    gain = compressor_gain(frames.power, loudness, density, frames.sample_rate / CONTROL, loop=loop)
    levels, makeup = _raise(frames, gain, target, fader, loop=loop)
    return replace(levels, settings=MasterSettings(loudness, density, makeup))


def settled_gain(power: Curve, peak: Curve, settings: MasterSettings, rate: float) -> Curve:
    """Return the gain at the frame borders of a stretch of a piece that ends, (frames + 1,), with known settings.

    It is ``find_gain``'s, but for the first frames, where the smoothers run in, and the last, where they look ahead.
    """
    compression = compressor_gain(power, settings.loudness, settings.density, rate, loop=False)
    borders = np.append(compression, compression[-1])
    around = np.maximum(borders[1:], borders[:-1])
    makeup = np.float32(settings.makeup)
    return borders * makeup * limiter_gain(peak * around * makeup, 10 ** (CEILING_DB / 20), rate, loop=False)


def _raise(
    frames: Frames, compression: Curve, target: float, fader: Curve | None, *, loop: bool
) -> tuple[Levels, float]:
    """Raise the compressed piece into the limiter until it has the target loudness or cannot get louder.

    Returns the levels, and the gain into the limiter.
    """
    rate = frames.sample_rate / CONTROL
    borders = np.append(compression, compression[0] if loop else compression[-1])
    # Each frame takes the larger gain of its borders, so that no peak between them is underestimated.
    around = np.maximum(borders[1:], borders[:-1])
    faded = borders if fader is None else borders * fader
    gain_db = target - _loudness(frames, faded)
    for _ in range(ROUNDS):
        gain = np.float32(10 ** (min(MOST_GAIN_DB, gain_db) / 20))
        limited = limiter_gain(frames.peak * around * gain, 10 ** (CEILING_DB / 20), rate, loop=loop)
        loudness = _loudness(frames, faded * gain * limited)
        if abs(target - loudness) <= TOLERANCE / 2 or gain_db > MOST_GAIN_DB:
            break
        # Overrelaxed, because the limiter takes back a part of every step; clipped, so that no step overshoots far.
        gain_db += float(np.clip(1.3 * (target - loudness), -6, 6))
    limiting = -20 * np.log10(max(1e-6, float(np.quantile(limited, 0.001))))
    return Levels(faded * gain * limited, loudness, limiting), float(gain)


def _loudness(frames: Frames, gain: Curve) -> float:
    middle = (gain[1:] + gain[:-1]) * np.float32(0.5)
    return gated_loudness(np.asarray(frames.power * middle * middle, np.float32), frames.sample_rate, frames.samples)
