"""Slow signals that move the others: envelopes, low-frequency oscillators, slides and drifts."""

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
_FALL = SILENCE_DB * np.log(10) / 20  # time constants in a fall to silence
_FADE_SECONDS = 0.004


def samples_in(seconds: float) -> int:
    """Return the number of samples in so many seconds, at least one."""
    return max(1, round(seconds * SAMPLE_RATE))


def times(samples: int) -> Curve:
    """Seconds at each sample."""
    return np.arange(samples) / SAMPLE_RATE


def decay(samples: int, seconds: float) -> Curve:
    """Return an exponential fall by 60 dB in ``seconds``."""
    return np.asarray(np.exp(np.arange(samples) * (-_FALL / (seconds * SAMPLE_RATE))), np.float64)


def envelope(shape: Envelope, held: float, samples: int) -> Curve:
    """Return the envelope of a tone held for ``held`` seconds, from 0 to exactly 0 at the last of ``samples``."""
    let_go = min(samples_in(held), samples)
    rise = samples_in(shape.attack)
    level = np.empty(samples)
    falling = max(0, let_go - rise)
    level[: min(rise, let_go)] = np.sin(np.arange(min(rise, let_go)) * (np.pi / 2 / rise))
    level[let_go - falling : let_go] = shape.sustain + (1 - shape.sustain) * decay(falling, shape.decay)
    level[let_go:] = level[let_go - 1] * decay(samples - let_go, shape.release)
    return ended(level)


def ended(signal: Array) -> Array:
    """Let the last few milliseconds of (…, samples) fall to exactly 0, in place."""
    fade = min(samples_in(_FADE_SECONDS), signal.shape[-1])
    signal[..., -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return signal


def stretched(points: Curve, samples: int) -> Curve:
    """Return straight lines between points CONTROL_STEP samples apart; there is one point more than steps."""
    ramp = np.arange(CONTROL_STEP) / CONTROL_STEP
    return np.asarray((points[:-1, None] + np.diff(points)[:, None] * ramp).reshape(-1)[:samples])


def modulation(lfo: Lfo, held: float, samples: int, start: float = 0.0) -> Curve:
    """Return the oscillator times its depth; ``start`` is its phase in turns."""
    time = np.arange(0, samples + CONTROL_STEP, CONTROL_STEP) / SAMPLE_RATE
    turns = time * turns_a_second(lfo, held) + start
    wave = np.sin(2 * np.pi * turns) if lfo.wave == "sine" else 4 * np.abs((turns + 0.25) % 1 - 0.5) - 1
    wave = wave * lfo.depth * (np.minimum(1, time / lfo.delay) if lfo.delay else 1)
    return stretched(wave, samples)


def turns_a_second(lfo: Lfo, held: float) -> float:
    """Return the rate in Hz; a synced one turns 1, 2, 3, 4, 6, 8 … whole times in the tone."""
    if not lfo.synced:
        return lfo.rate
    counts = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
    return float(counts[np.argmin(np.abs(np.log(counts / (held * lfo.rate))))] / held)


def slide(semitones: float, seconds: float, samples: int) -> Curve:
    """Return a slide from ``semitones`` to 0 in ``seconds``, slowing towards its end."""
    return semitones * np.clip(1 - np.arange(samples) / samples_in(seconds), 0, 1) ** 2
