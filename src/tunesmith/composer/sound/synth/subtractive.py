"""Subtractive synthesis: band-limited oscillators → filter → amplifier → saturation → chorus."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.envelopes_lfo import ended, envelope, modulation, samples_in, slide
from tunesmith.composer.sound.synth.filters import GRID, moving_filter
from tunesmith.composer.sound.synth.patch import Filter, Oscillator, Subtractive
from tunesmith.composer.sound.synth.saturation_chorus import chorus, saturate
from tunesmith.composer.sound.synth.waves import Curve, hertz, oscillate, pulse
from tunesmith.composer.sound.voice import Tone

MIDDLE_C = 60


def render_subtractive(patch: Subtractive, tone: Tone, random: np.random.Generator) -> Samples:
    """Return the tone, (2, samples), at no particular level."""
    samples = samples_in(tone.seconds + patch.amplifier.release)
    # Mono patches run on one channel: half the work until the chorus makes them stereo.
    wide = any(oscillator.spread > 0 for oscillator in patch.oscillators)
    signal = np.zeros((2 if wide else 1, samples), np.float32)
    frequency = _frequency(patch, tone, samples)
    for oscillator in patch.oscillators:
        _add(signal, patch, oscillator, frequency, tone, random)
    signal /= sum(oscillator.level for oscillator in patch.oscillators) + patch.noise
    if patch.noise:
        signal += random.standard_normal(signal.shape, np.float32) * np.float32(patch.noise / 2)
    if patch.filter is not None:
        # The cutoff drifts by up to a tenth of an octave from note to note, as in an analogue filter.
        octaves = _cutoff(patch, patch.filter, tone, samples, float(random.uniform(-0.1, 0.1)))
        signal = moving_filter(signal, patch.filter.kind, octaves, patch.filter.resonance)
    level = _amplitude(patch, tone, samples)
    signal = saturate(signal * level, patch.drive)
    return chorus(ended(signal), patch.chorus)


def _frequency(patch: Subtractive, tone: Tone, samples: int) -> float | Curve:
    """Return the frequency in Hz, one number where nothing bends it, else (samples,)."""
    bent = np.zeros(1)
    if tone.glide:
        bent = bent + slide(tone.glide, min(patch.glide_seconds, tone.seconds), samples)
    if patch.bend:
        bent = bent + slide(patch.bend, patch.bend_seconds, samples)
    for lfo in patch.lfos:
        if lfo.target == "pitch":
            bent = bent + modulation(lfo, tone.seconds, samples)
    if bent.size == 1:
        return hertz(tone.pitch)
    return np.asarray(hertz(tone.pitch) * np.exp2(bent / 12))


def _add(
    signal: Samples,
    patch: Subtractive,
    oscillator: Oscillator,
    frequency: float | Curve,
    tone: Tone,
    random: np.random.Generator,
) -> None:
    """Add the oscillator's copies to ``signal`` (channels, samples), panned from left to right."""
    copies = oscillator.unison
    duty = _duty(patch, oscillator, tone, signal.shape[1]) if oscillator.wave == "pulse" else 0.5
    # Random phases, or the copies would start in phase and sound like one flanged oscillator.
    starts = random.uniform(0, 1, copies) if copies > 1 else np.zeros(1)
    for copy, start in enumerate(starts):
        place = 2 * copy / (copies - 1) - 1 if copies > 1 else 0.0
        ratio = 2 ** (oscillator.semitones / 12 + place * oscillator.detune_cents / 1200)
        if oscillator.wave == "pulse":
            wave = pulse(duty, frequency * ratio, signal.shape[1], float(start))
        else:
            wave = oscillate(oscillator.wave, frequency * ratio, signal.shape[1], float(start))
        # Copies with random phases add up in power, hence the square root.
        wave *= np.float32(oscillator.level / np.sqrt(copies))
        if signal.shape[0] == 1:
            signal[0] += wave
            continue
        # Copies alternate sides, so that neither side has all the higher ones.
        angle = (1 + place * oscillator.spread * (-1) ** copy) * np.pi / 4
        signal[0] += wave * np.float32(np.cos(angle) * np.sqrt(2))
        signal[1] += wave * np.float32(np.sin(angle) * np.sqrt(2))


def _duty(patch: Subtractive, oscillator: Oscillator, tone: Tone, samples: int) -> float | Curve:
    for lfo in patch.lfos:
        if lfo.target == "duty":
            return np.clip(oscillator.duty + modulation(lfo, tone.seconds, samples), 0.04, 0.96)
    return oscillator.duty


def _cutoff(patch: Subtractive, shape: Filter, tone: Tone, samples: int, drift: float) -> Curve:
    """Return the cutoff in octaves above 1 Hz at every GRID-th sample."""
    count = -(-samples // GRID)
    octaves = np.log2(shape.cutoff) + shape.tracking * (tone.pitch - MIDDLE_C) / 12 + drift
    curve = np.full(count, octaves + shape.velocity_octaves * (tone.velocity / 127 - 0.7))
    if shape.envelope_octaves:
        strength = shape.envelope_octaves * (0.5 + 0.5 * tone.velocity / 127)
        curve += strength * envelope(shape.envelope, tone.seconds, samples)[::GRID]
    for lfo in patch.lfos:
        if lfo.target == "cutoff":
            # A quarter turn back, so that the sweep starts at its lowest and opens within the note.
            curve += modulation(lfo, tone.seconds, samples, start=-0.25)[::GRID]
    return curve


def _amplitude(patch: Subtractive, tone: Tone, samples: int) -> Samples:
    level = envelope(patch.amplifier, tone.seconds, samples)
    for lfo in patch.lfos:
        if lfo.target == "level":
            level *= 1 - lfo.depth / 2 + modulation(lfo, tone.seconds, samples) / 2
    return level.astype(np.float32)
