"""Rain, thunder and wind."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.rng import rng_for
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
from tunesmith.composer.sound.voice import SAMPLE_RATE

# Level of the rain against the thunder's peak.
_RAIN_BEHIND = 0.01


DROP_SOUNDS = 96


def drops(
    samples: int, random: np.random.Generator, rate: float, low: float = 900, high: float = 6_000
) -> Iterator[Grain]:
    """Yield drops, ``rate`` per second, each one of DROP_SOUNDS sounds from ``low`` to ``high`` Hz."""
    number = count(samples, rate, random)
    sounds = _drop_sounds(low, high)
    starts, which = random.integers(0, samples, number), random.integers(0, DROP_SOUNDS, number)
    gains, pans = random.exponential(1.0, number), random.uniform(-0.9, 0.9, number)
    for start, index, gain, pan in zip(starts.tolist(), which.tolist(), gains.tolist(), pans.tolist(), strict=True):
        yield Grain(start, sounds[index], gain, pan)


@cache
def _drop_sounds(low: float, high: float) -> tuple[Mono, ...]:
    """Return short, rising chirps. They are the same in every piece: nobody knows a drop again among thousands."""
    random = rng_for(0, "drops", f"{low:g}", f"{high:g}")
    return tuple(_drop_sound(random, low, high) for _ in range(DROP_SOUNDS))


def _drop_sound(random: np.random.Generator, low: float, high: float) -> Mono:
    length = int(random.integers(60, 500))
    time = np.arange(length, dtype=np.float32)
    pitch = random.uniform(low, high) * (2 * np.pi / SAMPLE_RATE)
    chirp = np.exp(time * (-5 / length)) * np.sin(pitch * time * (1 + 0.15 * time / length))
    return np.asarray(chirp, np.float32)


def rain(samples: int, random: np.random.Generator) -> Samples:
    """Return steady rain on leaves and stone, (2, samples)."""
    source = noise(samples, random)
    bed = normal(band(source, 600, 7_000)) + 0.25 * band(source, 5_000, np.inf)
    bed *= slow(samples, random, 0.4, 0.8, 1.1)
    return to_stereo(bed) + place_grains(samples, drops(samples, random, 200)) * np.float32(1.2)


def heavy_rain(samples: int, random: np.random.Generator) -> Samples:
    """Return a downpour, (2, samples): a broad roar with dense, heavy drops."""
    source = noise(samples, random)
    bed = normal(band(source, 700, 6_500)) + 0.35 * normal(band(source, 4_000, np.inf))
    bed *= slow(samples, random, 0.6, 0.75, 1.1)
    return to_stereo(bed) + place_grains(samples, drops(samples, random, 300, 700, 5_000)) * np.float32(1.4)


def thunder(samples: int, random: np.random.Generator) -> Samples:
    """Return a storm, (2, samples): rain behind rolling thunder, with at least one clap."""
    claps = max(1, round(samples / SAMPLE_RATE / 9))
    starts = (np.arange(claps) + random.uniform(0.05, 0.4, claps)) * (samples / claps)
    # Two different claps, left and right, make one wide one.
    grains = [Grain(int(start), _clap(random), 1.0, side) for start in starts for side in (-0.8, 0.8)]
    clap_sound = place_grains(samples, grains)
    shower = rain(samples, random)
    shower *= np.float32(_RAIN_BEHIND) * np.abs(clap_sound).max() / np.sqrt(np.mean(shower**2))
    return np.asarray(shower + clap_sound, np.float32)


def _clap(random: np.random.Generator) -> Mono:
    """Return a crack, then seconds of rolling: low noise that swells again and again as echoes arrive."""
    samples = round(random.uniform(4.5, 7.0) * SAMPLE_RATE)
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE
    source = noise(samples, random)
    rolling = slow(samples, random, 7.0, 0.1, 1.0) ** 2
    roll = normal(band(source, 25, 160, 2)) * np.exp(-time / 2.0) * rolling
    body = normal(band(source, 90, 520, 2)) * np.exp(-time / 1.1) * rolling * np.float32(0.8)
    crack = normal(band(source, 300, 3_000)) * np.exp(-time / 0.25) * np.float32(0.3)
    edge = np.minimum(1, time / 0.012) * np.minimum(1, (time[-1] - time) / 0.4)
    return np.asarray((roll + body + crack) * edge, np.float32)


def wind(samples: int, random: np.random.Generator) -> Samples:
    """Return gusts that rumble and buffet, with a faint whistle at their peak, (2, samples)."""
    gust = slow(samples, random, 0.3, 0.15, 1.0) ** 1.5
    buffeting = slow(samples, random, 13.0, 0.1, 1.0)
    source = noise(samples, random)
    rush = normal(band(source, 70, 350, order=2)) + 0.1 * normal(band(source, 350, 1_100, order=2))
    howl = np.zeros(samples, np.float32)
    for centre in (430.0, 610.0, 840.0):
        # Shifted copies of one noise are uncorrelated, so that the whistles do not swell together.
        part = normal(band(np.roll(source, round(centre)), centre * 0.95, centre * 1.05))
        howl += part * slow(samples, random, 0.6, -0.6, 1.0).clip(0) * np.float32(430 / centre)
    return to_stereo(np.asarray(rush * gust * buffeting + howl * gust**2 * 0.03, np.float32))
