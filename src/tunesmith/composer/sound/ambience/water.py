"""The sea and a stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.ambience.loop_noise import (
    Grain,
    band,
    count,
    noise,
    normal,
    place_grains,
    slow,
    swing,
    to_stereo,
)
from tunesmith.composer.sound.voice import SAMPLE_RATE

# Period in seconds, phase in turns.
_WAVES = ((9.0, 0.0), (11.5, 0.4), (7.7, 0.75))


def ocean(samples: int, random: np.random.Generator) -> Samples:
    """Return waves that swell, break and draw back over a beach, (2, samples)."""
    source = noise(samples, random)
    # One source, shifted far enough to be uncorrelated: cheaper than three noises.
    deep, foam = normal(band(source, 60, 700, order=2)), normal(band(np.roll(source, 4_001), 500, 2_600, order=2))
    hiss = normal(band(np.roll(source, 9_001), 2_500, 9_000))
    sea = 0.12 * deep
    for number, (period, start) in enumerate(_WAVES):
        swell = swing(samples, period, start).clip(0) ** 1.6
        wave = deep * swell + foam * swell**3 * 0.4 + hiss * np.roll(swell, -SAMPLE_RATE // 2) ** 4 * 0.08
        sea = sea + np.roll(wave, number * 7_001)
    return to_stereo(np.asarray(sea, np.float32))


def bubbles(samples: int, random: np.random.Generator, rate: float) -> Iterator[Grain]:
    """Yield bubbles, ``rate`` per second: sines that rise as they reach the surface."""
    for start in random.integers(0, samples, count(samples, rate, random)):
        length = int(random.integers(500, 3_000))
        way = np.arange(length, dtype=np.float32) / length
        turns = 2 * np.pi / SAMPLE_RATE * length * random.uniform(350, 1_500)
        rise = float(random.uniform(0.2, 1.0))
        sound = np.sin(turns * (way + rise * way**2 / 2)) * np.exp(-5 * way) * np.minimum(1, way * 30)
        yield Grain(
            int(start), sound.astype(np.float32), float(random.exponential(1.0)), float(random.uniform(-0.8, 0.8))
        )


def stream(samples: int, random: np.random.Generator) -> Samples:
    """Return a brook over stones, (2, samples)."""
    bed = normal(band(noise(samples, random), 300, 3_500)) * slow(samples, random, 1.5, 0.8, 1.1)
    return to_stereo(bed) * np.float32(0.9) + place_grains(samples, bubbles(samples, random, 160)) * np.float32(0.8)
