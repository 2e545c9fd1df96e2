"""Circular signals: the end of every signal connects to its start, so that all sums of them loop seamlessly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.butterworth import butterworth
from tunesmith.audio.recursive_filters import sosfilt
from tunesmith.composer.sound.voice import SAMPLE_RATE

# (samples,)
Mono = npt.NDArray[np.float32]
WARM_UP_SECONDS = 0.5
# Samples between points of a slow curve.
_GRID = 64


@dataclass(frozen=True, slots=True)
class Grain:
    """A short sound at sample ``start`` (past the end it wraps around), ``pan`` −1 to 1."""

    start: int
    sound: Mono
    gain: float = 1.0
    pan: float = 0.0


def noise(samples: int, random: np.random.Generator) -> Mono:
    """Return white noise of RMS 1."""
    return random.standard_normal(samples, np.float32)


def band(signal: Mono, low: float, high: float, order: int = 1) -> Mono:
    """Return a circular signal from ``low`` to ``high`` Hz; 0 or infinity leaves an end open."""
    if low <= 0 and high >= SAMPLE_RATE / 2:
        return signal
    sections = butterworth(low, high, SAMPLE_RATE) if order == 1 else _steeper(low, high, order)
    # The filter starts with the signal's own end, so that its state at the start fits the circle.
    warm = round(WARM_UP_SECONDS * SAMPLE_RATE)
    before = signal[-warm:] if signal.size >= warm else np.resize(signal[::-1], warm)[::-1]
    filtered: Mono = sosfilt(sections.astype(np.float32), np.concatenate([before, signal]))[warm:].astype(np.float32)
    return filtered


def _steeper(low: float, high: float, order: int) -> npt.NDArray[np.float64]:
    """Return the sections of a band-pass of a higher order, (order, 6)."""
    # Imported here: SciPy's designs take long to load, and few ambiences need them.
    from scipy.signal import butter

    return np.asarray(butter(order, [low, high], "band", fs=SAMPLE_RATE, output="sos"))


def normal(signal: Mono) -> Mono:
    """Return the signal at RMS 1."""
    return np.asarray(signal / max(1e-9, float(np.sqrt(np.mean(signal**2)))), np.float32)


def slow(samples: int, random: np.random.Generator, rate: float, low: float, high: float) -> Mono:
    """Return a smooth random curve between ``low`` and ``high`` with about ``rate`` turns per second."""
    points = random.uniform(low, high, max(2, round(samples / SAMPLE_RATE * rate)))
    return interpolated(points, samples)


def interpolated(points: npt.NDArray[np.float64], samples: int) -> Mono:
    """Return a curve through evenly spaced points, with wrap-around."""
    # The cosine is evaluated on a coarse grid and interpolated, because one per sample would be slow.
    grid = np.arange(0, samples + _GRID, _GRID) / samples * points.size
    whole = np.floor(grid).astype(np.intp)
    part = (1 - np.cos(np.pi * (grid - whole))) / 2
    curve = points[whole % points.size] * (1 - part) + points[(whole + 1) % points.size] * part
    curve = curve.astype(np.float32)
    ramp = np.arange(_GRID, dtype=np.float32) / _GRID
    return np.asarray((curve[:-1, None] + np.diff(curve)[:, None] * ramp).reshape(-1)[:samples], np.float32)


def swing(samples: int, period: float, start: float = 0.0) -> Mono:
    """Return a sine of about ``period`` seconds from phase ``start`` in turns, with a whole number of turns."""
    turns = max(1, round(samples / SAMPLE_RATE / period))
    grid = np.arange(0, samples + _GRID, _GRID) / samples * turns + start
    return np.interp(np.arange(samples), np.arange(grid.size) * _GRID, np.sin(2 * np.pi * grid)).astype(np.float32)


def to_stereo(signal: Mono) -> Samples:
    """Return stereo whose right channel is the left one from half the loop away: alike, yet uncorrelated."""
    return np.stack([signal, np.roll(signal, signal.size // 2 + 1)])


def place_grains(samples: int, grains: Iterable[Grain]) -> Samples:
    """Return (2, samples) with every grain in its place, with wrap-around."""
    stereo = np.zeros((2, samples), np.float32)
    for grain in grains:
        # Constant power, so that a grain is equally loud at every position.
        angle = (1 + grain.pan) * math.pi / 4
        gains = np.array(((grain.gain * math.cos(angle),), (grain.gain * math.sin(angle),)), np.float32)
        _add_circular(stereo, grain.sound * gains, grain.start % samples)
    return stereo


def _add_circular(circle: Samples, sound: Samples, place: int) -> None:
    while sound.size:
        step = min(sound.shape[1], circle.shape[1] - place)
        circle[:, place : place + step] += sound[:, :step]
        sound, place = sound[:, step:], 0


def count(samples: int, rate: float, random: np.random.Generator) -> int:
    """Return a random number of events at ``rate`` per second, at least one."""
    return max(1, int(random.poisson(samples / SAMPLE_RATE * rate)))
