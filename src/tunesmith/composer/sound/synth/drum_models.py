"""The synthesis of each drum layer; every function returns (2, samples) of about full scale."""

from __future__ import annotations

import functools
from typing import assert_never

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.drum_samples import recording
from tunesmith.composer.sound.synth.drum_spec import ChipNoise, Hiss, Layer, Metal, Recorded, Ringing, Thump
from tunesmith.composer.sound.synth.envelopes_lfo import decay, samples_in
from tunesmith.composer.sound.synth.filters import static_filter
from tunesmith.composer.sound.synth.waves import Curve, oscillate
from tunesmith.composer.sound.voice import SAMPLE_RATE

_CLICK_SECONDS = 0.012
# The TR-808's six oscillators, measured ratios.
_METAL_RATIOS = (1.0, 1.4836, 1.8013, 2.5446, 2.6302, 3.8935)
_FRAME_RATE = 60.0


def render_layer(layer: Layer, ratio: float, random: np.random.Generator) -> Samples:
    """Return the layer's sound, (2, samples), its frequencies times ``ratio``, which varies slightly per hit."""
    match layer:
        case Thump():
            return _thump(layer, ratio, random)
        case Hiss():
            return _hiss(layer, random)
        case Metal():
            return _metal(layer, ratio, random)
        case Ringing():
            return _ringing(layer, ratio, random)
        case ChipNoise():
            return _chip_noise(layer)
        case Recorded():
            return _recorded(layer, ratio)
        case _:
            assert_never(layer)


def _stereo(mono: Curve) -> Samples:
    return np.repeat(mono[None].astype(np.float32), 2, axis=0)


def _click(samples: int, random: np.random.Generator) -> Curve:
    length = min(samples_in(_CLICK_SECONDS), samples)
    burst = random.uniform(-1, 1, length) * decay(length, _CLICK_SECONDS / 2)
    # A first difference removes the low end of the click, which the drum itself provides.
    burst[1:] -= 0.6 * burst[:-1]
    return np.pad(burst, (0, samples - length))


def _thump(layer: Thump, ratio: float, random: np.random.Generator) -> Samples:
    samples = samples_in(layer.ring)
    frequency = ratio * (layer.end + (layer.start - layer.end) * decay(samples, layer.sweep))
    # The phase is the sum of the frequency: multiplying it by time would bend the pitch twice.
    wave = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE) * decay(samples, layer.ring)
    if layer.click:
        wave += layer.click * _click(samples, random)
    return _stereo(wave * layer.level)


def _noise(samples: int, width: float, random: np.random.Generator) -> Samples:
    """Return noise, (2, samples), that is the same in both channels but for the share ``width``."""
    middle = random.standard_normal((1, samples), np.float32)
    if not width:
        return np.repeat(middle, 2, axis=0)
    sides = random.standard_normal((2, samples), np.float32)
    # Powers add up to one, so that the width does not change the level.
    return np.asarray(middle * np.float32(np.sqrt(1 - width**2)) + sides * np.float32(width), np.float32)


def _hiss(layer: Hiss, random: np.random.Generator) -> Samples:
    lead = samples_in(layer.gap) * (layer.bursts - 1)
    held = round(layer.hold * SAMPLE_RATE)
    rise = samples_in(layer.attack)
    level = np.zeros(lead + held + samples_in(layer.ring) + rise)
    for burst in range(layer.bursts - 1):
        start = burst * samples_in(layer.gap)
        level[start : start + samples_in(layer.gap)] = decay(samples_in(layer.gap), layer.gap * 1.6) * 0.8
    level[lead:] = 1
    level[lead + rise + held :] = decay(level.size - lead - rise - held, layer.ring)
    level[:rise] *= np.linspace(0, 1, rise)
    if layer.bursts == 1:
        level[lead : lead + rise] = np.linspace(0, 1, rise)
    sound = static_filter(_noise(level.size, layer.width, random), "high12", layer.low)
    sound = static_filter(sound, "low12", layer.high)
    # Scaled by its standard deviation, so that filters and length do not change the level of a drum.
    return sound * (level * layer.level / max(1e-9, float(np.std(sound)) * 3)).astype(np.float32)


def _metal(layer: Metal, ratio: float, random: np.random.Generator) -> Samples:
    samples = samples_in(layer.ring)
    starts = random.uniform(0, 1, (2, len(_METAL_RATIOS)))
    # The phases of the right channel differ by ``width`` only: fully random ones would hollow out the centre.
    starts[1] = starts[0] + layer.width * (starts[1] - starts[0])
    squares = np.zeros((2, samples), np.float32)
    for channel in range(2):
        for number, part in enumerate(_METAL_RATIOS):
            squares[channel] += oscillate("square", layer.pitch * part * ratio, samples, float(starts[channel, number]))
    sound = squares / np.float32(6) * np.float32(1 - layer.noise)
    sound += _noise(samples, layer.width, random) * np.float32(layer.noise * 0.5)
    sound = static_filter(static_filter(sound, "high12", layer.low), "high12", layer.low * 0.8)
    sound = static_filter(sound, "low12", layer.high)
    level = decay(samples, layer.ring)
    if layer.strike:
        level = level + layer.strike * decay(samples, min(0.09, layer.ring))
    return sound * (level * layer.level / max(1e-9, float(np.std(sound)) * 3)).astype(np.float32)


def _ringing(layer: Ringing, ratio: float, random: np.random.Generator) -> Samples:
    samples = samples_in(max(ring for _, _, ring in layer.partials))
    time = np.arange(samples) * (2 * np.pi / SAMPLE_RATE)
    wave = np.zeros(samples)
    for frequency, level, ring in layer.partials:
        wave += level * np.sin(time * (frequency * ratio)) * decay(samples, ring)
    if layer.click:
        wave += layer.click * _click(samples, random)
    return _stereo(wave * layer.level)


# Cached: the sequence is fixed by the hardware and 32,767 steps long.
@functools.cache
def _register(short: bool) -> npt.NDArray[np.float32]:
    """Return the shift register's output, one value per clock: feedback of bits 0 and 1, or 0 and 6 if ``short``."""
    register, bits = 1, []
    for _ in range(93 if short else 32_767):
        bits.append(1.0 - 2.0 * (register & 1))
        feedback = (register ^ (register >> (6 if short else 1))) & 1
        register = (register >> 1) | (feedback << 14)
    return np.array(bits, np.float32)


def _chip_noise(layer: ChipNoise) -> Samples:
    samples = samples_in(layer.frames / _FRAME_RATE)
    bits = _register(layer.short)
    edges = np.append(0, np.cumsum(np.resize(bits, int(samples * layer.rate / SAMPLE_RATE) + 3)))
    clocks = np.arange(samples + 1) * (layer.rate / SAMPLE_RATE)
    # Differences of the running sum average the clocks within a sample, which prevents aliasing.
    wave = np.diff(np.interp(clocks, np.arange(edges.size), edges)) * (SAMPLE_RATE / layer.rate)
    frames = np.floor(np.arange(samples) * (_FRAME_RATE / SAMPLE_RATE))
    return _stereo(wave * np.round(15 * (1 - frames / layer.frames)) / 15 * layer.level)


def _recorded(layer: Recorded, ratio: float) -> Samples:
    sound = recording(layer.file)
    step = ratio * 2 ** (layer.semitones / 12)
    length = int((sound.shape[1] - 1) / step)
    if layer.ring:
        length = min(length, samples_in(layer.ring))
    places, here = np.arange(length) * step, np.arange(sound.shape[1])
    played = np.stack([np.interp(places, here, channel) for channel in sound])
    if layer.ring:
        played *= decay(length, layer.ring * 1.3)
    return (played * layer.level).astype(np.float32)
