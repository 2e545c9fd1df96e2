"""Control signals: envelopes, low-frequency oscillators, slides and drifts."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tunesmith.composer.sound.synth.patch import Envelope, Lfo
from tunesmith.composer.sound.synth.waves import Curve
from tunesmith.composer.sound.voice import SAMPLE_RATE

Array = TypeVar("Array", bound=np.ndarray[Any, Any])

CONTROL_STEP = 32
"""Samples between the points at which a low-frequency oscillator is computed; 0.7 ms."""
SILENCE_DB = 60.0
# Time constants in a decay to silence.
_FALL = SILENCE_DB * np.log(10) / 20
_FADE_SECONDS = 0.004


def samples_in(seconds: float) -> int:
    """Return the number of samples in ``seconds``, at least one."""
    return max(1, round(seconds * SAMPLE_RATE))


def times(samples: int) -> Curve:
    """Return the time in seconds at each sample, (samples,)."""
    return np.arange(samples) / SAMPLE_RATE


def decay(samples: int, seconds: float) -> Curve:
    """Return an exponential decay by 60 dB in ``seconds``, (samples,)."""
    return np.asarray(np.exp(np.arange(samples) * (-_FALL / (seconds * SAMPLE_RATE))), np.float64)


def envelope(shape: Envelope, held: float, samples: int) -> Curve:
    """Return the envelope of a tone held for ``held`` seconds, (samples,), exactly 0 at the last sample."""
    let_go = min(samples_in(held), samples)
    rise = samples_in(shape.attack)
    level = np.empty(samples)
    falling = max(0, let_go - rise)
    # A quarter sine arrives without a corner, which a straight attack would have.
    level[: min(rise, let_go)] = np.sin(np.arange(min(rise, let_go)) * (np.pi / 2 / rise))
    level[let_go - falling : let_go] = shape.sustain + (1 - shape.sustain) * decay(falling, shape.decay)
    # The release starts at the level reached, so that a note released early does not jump.
    level[let_go:] = level[let_go - 1] * decay(samples - let_go, shape.release)
    return ended(level)


def ended(signal: Array) -> Array:
    """Fade the last few milliseconds of (…, samples) to exactly 0, in place."""
    fade = min(samples_in(_FADE_SECONDS), signal.shape[-1])
    signal[..., -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return signal


def stretched(points: Curve, samples: int) -> Curve:
    """Return straight lines between points CONTROL_STEP samples apart; there is one point more than steps."""
    ramp = np.arange(CONTROL_STEP) / CONTROL_STEP
    return np.asarray((points[:-1, None] + np.diff(points)[:, None] * ramp).reshape(-1)[:samples])


def modulation(lfo: Lfo, held: float, samples: int, start: float = 0.0) -> Curve:
    """Return the oscillator times its depth, (samples,); ``start`` is its phase in turns."""
    # Computed at control rate: these curves change too slowly to be worth a sine per sample.
    time = np.arange(0, samples + CONTROL_STEP, CONTROL_STEP) / SAMPLE_RATE
    turns = time * turns_a_second(lfo, held) + start
    wave = np.sin(2 * np.pi * turns) if lfo.wave == "sine" else 4 * np.abs((turns + 0.25) % 1 - 0.5) - 1
    wave = wave * lfo.depth * (np.minimum(1, time / lfo.delay) if lfo.delay else 1)
    return stretched(wave, samples)


def turns_a_second(lfo: Lfo, held: float) -> float:
    """Return the rate in Hz; a synced oscillator makes 1, 2, 3, 4, 6, 8 … whole turns in the tone."""
    if not lfo.synced:
        return lfo.rate
    counts = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
    # The nearest ratio, not the nearest difference: rates are perceived on a logarithmic scale.
    return float(counts[np.argmin(np.abs(np.log(counts / (held * lfo.rate))))] / held)


def slide(semitones: float, seconds: float, samples: int) -> Curve:
    """Return a slide from ``semitones`` to 0 in ``seconds``, (samples,), that slows down towards its end."""
    return semitones * np.clip(1 - np.arange(samples) / samples_in(seconds), 0, 1) ** 2
