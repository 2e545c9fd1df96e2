"""The pulse and triangle channels of the 2A03: stepped volume, delayed vibrato, and chords as fast arpeggios."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.envelopes_lfo import modulation, samples_in, slide, times
from tunesmith.composer.sound.synth.patch import Chip, Lfo
from tunesmith.composer.sound.synth.waves import Curve, hertz, oscillate, pulse
from tunesmith.composer.sound.voice import Tone

# The console changed volume and pitch once for each picture of its screen.
FRAME_RATE = 60.0
_RELEASE_SECONDS = 0.03
# Samples over which a volume step is rounded, so that it does not click.
_EDGE = 48
_FULL = 15


def render_chip(patch: Chip, tone: Tone, random: np.random.Generator) -> Samples:
    """Return the tone, (2, samples): both channels the same, as the console had one speaker."""
    samples = samples_in(tone.seconds + _RELEASE_SECONDS)
    frequency = _frequency(patch, tone, samples)
    if patch.duty:
        # A random phase of at most a fiftieth of a period: repetitions differ, but the attack stays the same.
        wave = pulse(patch.duty, frequency, samples, float(random.uniform(0, 0.02)))
    else:
        wave = oscillate("steps", frequency, samples, 0.25)
    volume = _volume(patch, tone, samples)
    return np.repeat((wave * volume.astype(np.float32))[None], 2, axis=0)


def _frequency(patch: Chip, tone: Tone, samples: int) -> Curve:
    bent = modulation(Lfo("pitch", 6.0, patch.vibrato_cents / 100, delay=0.5), tone.seconds, samples)
    if tone.glide:
        # Glides move in steps of a quarter semitone, as a coarse pitch register would set them.
        bent = bent + np.round(slide(tone.glide, min(0.1, tone.seconds), samples) * 4) / 4
    return np.asarray(hertz(tone.pitch) * np.exp2(bent / 12))


def _volume(patch: Chip, tone: Tone, samples: int) -> Curve:
    """Return the volume, (samples,), 0–1, in sixteenths that change with the frame; the triangle is only on or off."""
    frames = np.floor(times(samples) * FRAME_RATE)
    held = np.arange(samples) < samples_in(tone.seconds)
    steps = np.full(samples, float(_FULL))
    if patch.duty:
        steps = np.maximum(patch.floor, _FULL - np.floor(frames / patch.frames_a_step))
        steps = np.where(held, steps, np.maximum(0, steps - 5 * np.floor((frames - frames[held][-1]) + 1)))
    else:
        steps = np.where(held, steps, 0)
    if patch.slots > 1:
        steps = np.where(frames % patch.slots == tone.variation % patch.slots, steps, np.floor(steps * 0.2))
    # A running mean rounds every volume step without a loop over the steps.
    edges = np.concatenate([np.zeros(_EDGE), steps, np.zeros(_EDGE)])
    running = np.cumsum(edges)
    smooth = (running[_EDGE:] - running[:-_EDGE])[:samples] / (_EDGE * _FULL)
    smooth[samples - _EDGE :] *= np.linspace(1, 0, _EDGE)
    return np.asarray(smooth)
