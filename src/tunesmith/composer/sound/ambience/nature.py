"""Fire, birds, a night with crickets, and a forest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.ambience.loop_noise import (
    Grain,
    Mono,
    band,
    count,
    noise,
    normal,
    place_grains,
    slow,
    to_stereo,
)
from tunesmith.composer.sound.ambience.water import bubbles
from tunesmith.composer.sound.voice import SAMPLE_RATE

_LOUDEST_CRACKLE = 2.0
# From the ground on the other side.
_ECHO_SECONDS = 0.004


def fire(samples: int, random: np.random.Generator) -> Samples:
    """Return a log fire, (2, samples): a soft roar, a little hiss, and crackles in clusters."""
    roar = normal(band(noise(samples, random), 60, 380)) * slow(samples, random, 3.0, 0.5, 1.2)
    hiss = band(noise(samples, random), 3_000, np.inf) * np.float32(0.03)
    crackles = place_grains(samples, _crackles(samples, random))
    crackles /= max(1e-9, float(np.sqrt(np.mean(crackles**2))))
    return to_stereo(roar * np.float32(0.55) + hiss) + crackles


def _crackles(samples: int, random: np.random.Generator) -> Iterator[Grain]:
    for cluster in random.integers(0, samples, count(samples, 25, random)):
        pan = float(random.uniform(-0.7, 0.7))
        # Crackles come in clusters, as in a real fire.
        for _ in range(int(random.geometric(0.4))):
            length = int(random.integers(100, 900))
            fall = np.exp(np.arange(length, dtype=np.float32) * (-6 / length))
            start = int(cluster + random.exponential(0.03) * SAMPLE_RATE)
            burst = random.standard_normal(length, np.float32) * fall
            yield Grain(start, burst, min(_LOUDEST_CRACKLE, float(random.exponential(1.0))), pan)


def birds(samples: int, random: np.random.Generator) -> Samples:
    """Return songbirds in the morning, near and far, (2, samples)."""
    air = normal(band(noise(samples, random), 200, 3_000)) * np.float32(0.035)
    return to_stereo(air) + place_grains(samples, _songs(samples, random, 1.9))


def _songs(samples: int, random: np.random.Generator, rate: float) -> Iterator[Grain]:
    """Yield the syllables of phrases, ``rate`` phrases per second, of a few birds that each keep to their song."""
    voices = [_song(random) for _ in range(6)]
    places = random.uniform(-0.9, 0.9, len(voices))
    # Distances are fixed per bird, so that each keeps its place.
    distances = random.uniform(0.25, 1.0, len(voices))
    for start in random.integers(0, samples, count(samples, rate, random)):
        bird = int(random.integers(len(voices)))
        offset = int(start)
        for syllable in voices[bird][: int(random.integers(2, 8))]:
            yield Grain(offset, syllable, float(distances[bird]), float(places[bird]))
            offset += syllable.size + int(random.uniform(0.02, 0.05) * SAMPLE_RATE)


def _song(random: np.random.Generator) -> list[Mono]:
    """Return one bird's syllables: whistles with pitch bends, some of them trilled."""
    root = random.uniform(2_600, 5_400)
    trill = random.uniform(18, 45) if random.uniform() < 0.4 else 0.0
    syllables = []
    for _ in range(7):
        length = int(random.uniform(0.05, 0.15) * SAMPLE_RATE)
        way = np.arange(length) / length
        bend = 0.16 * np.sin(2 * np.pi * way * random.uniform(0.5, 2.5)) + random.uniform(-0.15, 0.2) * way
        # A trill is a fast, small bend on top of the song's own.
        bend += 0.05 * np.sin(2 * np.pi * trill * way * length / SAMPLE_RATE)
        phase = 2 * np.pi * np.cumsum(root * (1 + bend)) / SAMPLE_RATE
        syllables.append(((np.sin(phase) + 0.12 * np.sin(2 * phase)) * np.sin(np.pi * way) ** 1.3).astype(np.float32))
    return syllables


def night(samples: int, random: np.random.Generator) -> Samples:
    """Return a summer night, (2, samples): crickets around, and soft, dark air."""
    air = normal(band(noise(samples, random), 60, 500)) * np.float32(0.004)
    grains: list[Grain] = []
    for gain in (1.0, 0.2, 0.09):
        grains += _cricket(samples, gain, random)
    near = place_grains(samples, grains)
    # The echo comes from the other side, which makes the night wide.
    echo = np.roll(near[::-1], round(_ECHO_SECONDS * SAMPLE_RATE), axis=1) * np.float32(0.25)
    return np.asarray(to_stereo(air) + near + echo, np.float32)


def _cricket(samples: int, gain: float, random: np.random.Generator) -> Iterator[Grain]:
    """Yield one cricket's chirps: a few pulses each, evenly spaced around the loop."""
    pitch, pulses = random.uniform(4_250, 4_750), 3
    pulse = int(SAMPLE_RATE / random.uniform(28, 33))
    way = np.arange(pulse * pulses) / pulse
    level = np.sin(np.pi * np.minimum(1, (way % 1) / 0.62)) ** 1.5 * (0.7 + 0.3 * way / pulses)
    chirp = (np.sin(2 * np.pi * pitch / SAMPLE_RATE * np.arange(way.size)) * level).astype(np.float32)
    chirps = max(1, round(samples / SAMPLE_RATE * random.uniform(2.1, 2.7)))
    pan, first = random.choice([-1, 1]) * random.uniform(0.4, 0.9), random.uniform(0, samples)
    for number in range(chirps):
        # Slightly uneven: an exact rhythm would sound like a machine.
        start = first + (number + random.uniform(-0.04, 0.04)) * samples / chirps
        yield Grain(int(start), chirp, float(gain * random.uniform(0.85, 1.0)), float(pan))


def forest(samples: int, random: np.random.Generator) -> Samples:
    """Return a forest by day, (2, samples): wind in the leaves, birds, a distant brook."""
    leaves = normal(band(noise(samples, random), 900, 7_000)) * slow(samples, random, 0.5, 0.15, 1.0)
    hush = normal(band(noise(samples, random), 80, 500)) * slow(samples, random, 0.3, 0.2, 0.8)
    brook = place_grains(samples, bubbles(samples, random, 25)) * np.float32(0.03)
    songs = place_grains(samples, _songs(samples, random, 0.9)) * np.float32(0.55)
    return to_stereo(np.asarray(leaves * 0.055 + hush * 0.05, np.float32)) + (brook + songs)
