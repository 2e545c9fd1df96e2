"""Unintelligible speech: a buzzing source, formants that move between vowels, and the noise of consonants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.composer.sound.ambience.loop_noise import Mono
from tunesmith.composer.sound.synth.waves import oscillate
from tunesmith.composer.sound.voice import SAMPLE_RATE

_VOWELS = np.array(
    # First three formants of men's vowels in Hz (Peterson and Barney, 1952).
    [
        (730, 1_090, 2_440), (530, 1_840, 2_480), (270, 2_290, 3_010), (570, 840, 2_410), (300, 870, 2_240),
        (660, 1_720, 2_410), (490, 1_350, 1_690), (640, 1_190, 2_390),
    ]
)  # fmt: skip
# Of the formants, in Hz.
_WIDTHS = (90.0, 110.0, 160.0, 250.0)
_FOURTH_FORMANT = 3_500.0
_FRAME, _HOP = 1_024, 512
_PITCH_JUMP = 0.22
_ROOM_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Speaker:
    """A speaker with a voice at ``root`` Hz and formants ``tract`` times a man's."""

    root: float
    tract: float


def phrase(speaker: Speaker, syllables: int, random: np.random.Generator) -> Mono:
    """Return a phrase as heard in a room, (samples,), RMS about 1 before the room."""
    edges = np.append(0, np.cumsum(random.uniform(0.11, 0.26, syllables)))
    samples = int(edges[-1] * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    melody = np.interp(time, edges, 1 + _PITCH_JUMP * random.uniform(-1.5, 1.5, edges.size).clip(-1, 1))
    # Pitch falls over a statement, which makes it sound like one.
    pitch = speaker.root * melody * (1.12 - 0.24 * time / edges[-1])
    source = oscillate("saw", pitch, samples) + 0.05 * random.standard_normal(samples)
    loudness, consonants = _articulation(edges, time, random)
    middles = (edges[:-1] + edges[1:]) / 2
    vowels = _VOWELS[random.integers(0, len(_VOWELS), syllables)] * speaker.tract
    voiced = _through_formants(source * loudness, middles, vowels, _FOURTH_FORMANT * speaker.tract)
    return _in_a_room(voiced / np.sqrt(np.mean(voiced**2)) + 0.6 * consonants, random)


def _articulation(
    edges: npt.NDArray[np.float64], time: npt.NDArray[np.float64], random: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the loudness of the voice, and its consonants (fricatives and plosives), (samples,) each."""
    turns = np.sort(np.concatenate([edges, (edges[:-1] + edges[1:]) / 2]))
    loudness = np.interp(time, turns, np.resize([0.45, 1.0], turns.size))
    consonants = np.zeros(time.size)
    for edge in edges[:-1]:
        kind, start = int(random.integers(0, 4)), int(edge * SAMPLE_RATE)
        length = min(int(random.uniform(0.03, 0.09) * SAMPLE_RATE), time.size - start)
        # The syllable begins with its vowel.
        if kind == 3 or length < 64:
            continue
        way = np.arange(length) / length
        shape = np.sin(np.pi * way) if kind == 1 else np.exp(-6 * way) * (way > 0.4) * 3
        centre = random.uniform(2_500, 5_000) if kind == 1 else random.uniform(1_000, 3_000)
        spectrum = np.fft.rfft(random.standard_normal(length) * shape)
        spectrum /= 1 + ((np.fft.rfftfreq(length, 1 / SAMPLE_RATE) - centre) / (centre * 0.35)) ** 2
        consonants[start : start + length] += np.fft.irfft(spectrum, length) * np.sin(np.pi * way) ** 0.3
        loudness[start : start + length] *= 1 - (0.95 if kind else 0.6) * np.sin(np.pi * way) ** 0.5
    return loudness, consonants


def _through_formants(
    source: npt.NDArray[np.float64],
    middles: npt.NDArray[np.float64],
    vowels: npt.NDArray[np.float64],
    fourth: float,
) -> npt.NDArray[np.float64]:
    """Filter in overlapping frames: each frame's spectrum times the formant resonances at that moment, (samples,)."""
    frames = -(-source.size // _HOP)
    # Hann windows at half overlap sum to one, so that unfiltered frames would give the source back.
    padded = np.pad(source, (0, _FRAME))
    window = np.hanning(_FRAME + 1)[:_FRAME]
    index = np.arange(frames)[:, None] * _HOP + np.arange(_FRAME)
    frequency = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)[None]
    moments = (np.arange(frames) + 1) * _HOP / SAMPLE_RATE
    # The spectrum of a voice falls towards the highs.
    gain = 1 / (1 + np.sqrt(frequency / 700))
    for number, width in enumerate(_WIDTHS):
        centre = np.interp(moments, middles, vowels[:, number])[:, None] if number < 3 else fourth
        gain = gain * centre**2 / np.sqrt((frequency**2 - centre**2) ** 2 + (frequency * width) ** 2)
    shaped = np.fft.irfft(np.fft.rfft(padded[index] * window) * gain, _FRAME)
    halves = np.zeros((frames + 1, _HOP))
    halves[:-1] += shaped[:, :_HOP]
    halves[1:] += shaped[:, _HOP:]
    return np.asarray(halves.reshape(-1)[: source.size])


def _in_a_room(dry: npt.NDArray[np.float64], random: np.random.Generator) -> Mono:
    """Add the diffuse reverberation of a room, louder than the direct voice, as for a distant listener."""
    from scipy.signal import oaconvolve

    tail = np.arange(round(_ROOM_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    # Noise that decays by 60 dB in the room's reverberation time: e^−6.9 = 10^−3.
    echo = oaconvolve(dry, random.standard_normal(tail.size) * np.exp(-6.9 / _ROOM_SECONDS * tail))
    echo *= 1.5 * np.sqrt(np.mean(dry**2) / np.mean(echo[: dry.size] ** 2))
    echo[: dry.size] += dry
    echo[-2_000:] *= np.linspace(1, 0, 2_000)
    return np.asarray(echo, np.float32)
