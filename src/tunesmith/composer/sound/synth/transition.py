"""Transition effects: risers, falls, impacts, reversed cymbals and sweeps, each as long as its tone."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.envelopes_lfo import decay, samples_in
from tunesmith.composer.sound.synth.filters import GRID, moving_filter, static_filter
from tunesmith.composer.sound.synth.patch import TransitionEffect
from tunesmith.composer.sound.synth.waves import Curve, oscillate
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone

_TAIL_SECONDS = 0.12
_METAL = (2050.0, 3103.0, 3871.0, 4729.0, 5413.0, 6607.0, 8209.0, 9871.0)


def render_transition(patch: TransitionEffect, tone: Tone, random: np.random.Generator) -> Samples:
    """Return the effect, (2, samples), at no particular level; a riser peaks where the tone ends, a fall at once."""
    samples = samples_in(tone.seconds + _TAIL_SECONDS)
    way = np.minimum(1, np.arange(samples) / samples_in(tone.seconds))
    octaves = np.log2(patch.low) + np.log2(patch.high / patch.low) * _height(patch, way)
    # Two independent channels make the noise wide.
    source = random.standard_normal((2, samples), np.float32) * np.float32(0.4)
    if patch.tone:
        source += np.float32(patch.tone) * _chord(octaves, samples, random)
    if patch.metal:
        source = source + np.float32(patch.metal) * _shimmer(samples, random)
    kind = "band" if patch.shape == "swell" else "low12"
    # A swell is a band that passes by; a riser opens a low-pass.
    signal = moving_filter(source, kind, octaves[::GRID], 1.6)
    # The lows belong to kick and bass; only the boom may use them.
    signal = static_filter(signal, "high12", 180)
    signal *= (_loudness(patch, way) * _edges(samples)).astype(np.float32)
    if patch.boom:
        # Added after the filters, which would remove it.
        signal += np.float32(patch.boom) * _boom(samples)
    return signal


def _height(patch: TransitionEffect, way: Curve) -> Curve:
    """Return the height of the sweep, 0–1, (samples,)."""
    if patch.shape == "rise":
        return way**1.3
    if patch.shape == "swell":
        return np.sin(np.pi * way)
    return (1 - way) ** 1.5


def _loudness(patch: TransitionEffect, way: Curve) -> Curve:
    if patch.shape == "rise":
        return np.asarray(0.02 + 0.98 * way**2.2)
    if patch.shape == "swell":
        return np.sin(np.pi * way) ** 2
    return np.asarray((1 - way) ** (1.6 if patch.shape == "fall" else 3))


def _edges(samples: int) -> Curve:
    """Return a fade-in of 3 ms and a fade-out over the whole tail, (samples,)."""
    fade_in = np.minimum(1, np.arange(samples) / samples_in(0.003))
    fade_out = np.minimum(1, np.arange(samples)[::-1] / samples_in(_TAIL_SECONDS))
    return np.asarray(fade_in * fade_out**2)


def _chord(octaves: Curve, samples: int, random: np.random.Generator) -> Samples:
    """Return detuned saws, (2, samples), that follow the sweep at less than a third of its range."""
    frequency = np.exp2(octaves * 0.3 + 4.4)
    waves = [
        oscillate("saw", frequency * ratio, samples, float(random.uniform())) for ratio in (0.992, 1.007, 1.5, 2.01)
    ]
    return np.stack([waves[0] + waves[2], waves[1] + waves[3]]) * np.float32(0.25)


def _shimmer(samples: int, random: np.random.Generator) -> Samples:
    """Return the inharmonic ring of a cymbal, (2, samples): squares at unrelated frequencies."""
    starts = random.uniform(0, 1, (2, len(_METAL)))
    channels = [
        sum((oscillate("square", f, samples, float(s)) for f, s in zip(_METAL, row, strict=True)), np.float32(0))
        for row in starts
    ]
    return np.asarray(np.stack(channels) * np.float32(0.3 / len(_METAL) ** 0.5), np.float32)


def _boom(samples: int) -> Samples:
    """Return a low thud, (2, samples), that falls from 95 Hz to 34 Hz."""
    frequency = 34 + 61 * decay(samples, 0.5)
    wave = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE) * decay(samples, 2.6) * _edges(samples)
    # Soft saturation adds harmonics, which make the thud audible on small loudspeakers.
    return np.repeat(np.tanh(1.8 * wave)[None], 2, axis=0).astype(np.float32)
