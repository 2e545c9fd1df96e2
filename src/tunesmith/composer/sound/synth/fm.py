"""Frequency modulation with two operators at a time."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.envelopes_lfo import decay, ended, envelope, modulation, samples_in, slide
from tunesmith.composer.sound.synth.patch import Fm, Operator
from tunesmith.composer.sound.synth.saturation_chorus import chorus, saturate
from tunesmith.composer.sound.synth.waves import HIGHEST_HARMONIC, Curve, Mono, hertz
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone


def render_fm(patch: Fm, tone: Tone, random: np.random.Generator) -> Samples:
    """Return the tone, (2, samples), at no particular level."""
    samples = samples_in(tone.seconds + max(operator.amplifier.release for operator in patch.operators))
    turns = _turns(patch, tone, samples)
    signal = np.zeros((1, samples), np.float32)
    for operator in patch.operators:
        # A fraction of a cent, so that repeated notes and layered operators never beat in exactly the same way.
        detune = operator.detune_cents + float(random.uniform(-0.6, 0.6))
        signal[0] += _operate(operator, turns * 2 ** (detune / 1200), tone)
    signal /= sum(operator.level for operator in patch.operators)
    return chorus(ended(saturate(signal, patch.drive)), patch.chorus)


def _turns(patch: Fm, tone: Tone, samples: int) -> Curve:
    """Return the note's phase in radians, (samples,)."""
    bent = np.zeros(samples)
    if tone.glide:
        bent += slide(tone.glide, min(patch.glide_seconds, tone.seconds), samples)
    if patch.vibrato is not None:
        bent += modulation(patch.vibrato, tone.seconds, samples)
    step = 2 * np.pi * hertz(tone.pitch) / SAMPLE_RATE
    return np.cumsum(step * np.exp2(bent / 12)) - step


def _operate(operator: Operator, turns: Curve, tone: Tone) -> Mono:
    samples = turns.size
    # Velocity raises the modulation index: harder notes are brighter, as on a real instrument.
    strength = (0.35 + 0.65 * tone.velocity / 100) * min(operator.index, _highest_index(operator, tone))
    falling = operator.index_sustain + (1 - operator.index_sustain) * decay(samples, operator.index_decay)
    modulator = np.sin(_wrapped(turns * operator.modulator_ratio)) * (strength * falling).astype(np.float32)
    carrier = np.sin(modulator + _wrapped(turns * operator.ratio))
    level = envelope(operator.amplifier, tone.seconds, samples) * operator.level
    return np.asarray(carrier * level.astype(np.float32), np.float32)


def _wrapped(radians: Curve) -> Mono:
    """Return the phase within one turn, where single precision is fine enough."""
    turns = radians * (0.5 / np.pi)
    turns -= np.floor(turns)
    return np.asarray(turns * (2 * np.pi), np.float32)


def _highest_index(operator: Operator, tone: Tone) -> float:
    """Return the index at which Carson's bandwidth stays below the highest harmonic, so that nothing aliases."""
    # Carson's rule: sidebands reach to the carrier plus (index + 1) modulators.
    room = (HIGHEST_HARMONIC / hertz(tone.pitch) - operator.ratio) / operator.modulator_ratio
    return max(0.0, room - 2)
