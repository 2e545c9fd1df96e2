"""A plucked string: a noise burst in a delay line as long as the string (Karplus and Strong, 1983).

Each turn of the line is computed at once, because a period depends only on the period before it.
"""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.envelopes_lfo import envelope, samples_in
from tunesmith.composer.sound.synth.filters import static_filter
from tunesmith.composer.sound.synth.patch import Envelope, PluckedString
from tunesmith.composer.sound.synth.waves import Curve, hertz
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone

_TAPS = 6


def render_plucked(patch: PluckedString, tone: Tone, random: np.random.Generator) -> Samples:
    """Return the tone, (2, samples), at no particular level."""
    samples = samples_in(tone.seconds + patch.release)
    string = _string(patch, tone, samples, random)
    signal = np.asarray(string[None], np.float32)
    body = signal.copy()
    for frequency, gain in patch.body:
        body += static_filter(signal, "band", frequency, 3.0) * np.float32(gain)
    # Below the lowest string there is only what the noise and the body leave.
    body = static_filter(body, "high12", 45)
    if patch.low_pass:
        body = static_filter(body, "low12", patch.low_pass)
    body *= envelope(Envelope(0.001, 1, 1, patch.release), tone.seconds, samples).astype(np.float32)
    return np.repeat(body, 2, axis=0)


def _string(patch: PluckedString, tone: Tone, samples: int, random: np.random.Generator) -> Curve:
    period = SAMPLE_RATE / hertz(tone.pitch)
    # Two samples shorter than the period: the loop filter delays by the rest.
    whole = int(period) - 2
    # Higher strings ring for less time; the gain per turn follows from the time to −60 dB.
    gain = 10 ** (-3 * period / SAMPLE_RATE / (patch.ring * 2 ** ((60 - tone.pitch) / 24)))
    taps = _loop_taps(period - whole, min(0.9, patch.damping * 2 ** ((60 - tone.pitch) / 14))) * gain
    line = np.zeros(samples + whole + _TAPS)
    line[_TAPS : _TAPS + whole] = _pluck(patch, tone, whole, random)
    for start in range(_TAPS + whole, line.size, whole):
        end = min(start + whole, line.size)
        line[start:end] = np.convolve(line[start - whole - _TAPS + 1 : end - whole], taps, "valid")
    # Short strings hold less of the burst and ring for less time.
    loss = 2 ** ((tone.pitch - 60) / 40)
    return np.asarray(line[_TAPS : _TAPS + samples] * loss)


def _loop_taps(delay: float, damping: float) -> Curve:
    """Return taps that delay by ``delay`` (2–3) samples: a cubic interpolator with a gentle, symmetric low-pass."""
    part = delay - 2
    cubic = np.array(
        [
            -part * (part - 1) * (part - 2) / 6,
            (part + 1) * (part - 1) * (part - 2) / 2,
            -(part + 1) * part * (part - 2) / 2,
            (part + 1) * part * (part - 1) / 6,
        ]
    )
    return np.convolve(cubic, [damping / 4, 1 - damping / 2, damping / 4])


def _pluck(patch: PluckedString, tone: Tone, whole: int, random: np.random.Generator) -> Curve:
    """Return one period of excitation: noise, duller for soft notes, with the comb filter of the plucking position."""
    noise = random.uniform(-1, 1, whole)
    softness = 0.85 - 0.75 * tone.velocity / 127
    # A smoother of two taps, twice around the string: a soft touch excites few high partials.
    for _ in range(2):
        noise = (1 - softness) * noise + softness * np.roll(noise, 1)
    # A string plucked at a share of its length lacks the partials with a node there.
    noise -= np.roll(noise, max(1, round(whole * patch.position)))
    return np.asarray(noise - noise.mean())
