"""The noise of old media: the surface of a vinyl record, and tape hiss."""

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
    to_stereo,
)

_LOUDEST_CLICK = 1.6


def vinyl(samples: int, random: np.random.Generator) -> Samples:
    """Return a record's surface, (2, samples): rumble, a little hiss, dust that crackles, and a few pops."""
    rumble = normal(band(noise(samples, random), 20, 70)) * np.float32(0.1)
    hiss = normal(band(noise(samples, random), 400, 9_000)) * slow(samples, random, 1.0, 0.7, 1.1) * np.float32(0.07)
    dust = place_grains(samples, _clicks(samples, random, 34, 12, 80))
    pops = place_grains(samples, _clicks(samples, random, 0.9, 60, 260))
    return np.asarray(to_stereo(rumble + hiss) + dust + pops * np.float32(0.9), np.float32)


def _clicks(samples: int, random: np.random.Generator, rate: float, shortest: int, longest: int) -> Iterator[Grain]:
    for start in random.integers(0, samples, count(samples, rate, random)):
        length = int(random.integers(shortest, longest))
        fall = np.exp(np.arange(length, dtype=np.float32) * (-5 / length))
        # The offset balances the mostly positive click, so that it leaves little DC.
        click = (random.normal(1, 0.35, length) * fall).astype(np.float32) - np.float32(0.3)
        click *= np.minimum(1, np.arange(length)[::-1] / 6).astype(np.float32)
        sign = 1 if random.uniform() < 0.5 else -1
        yield Grain(
            int(start),
            click,
            sign * min(_LOUDEST_CLICK, float(random.exponential(1.0))),
            float(random.uniform(-0.5, 0.5)),
        )


def tape_hiss(samples: int, random: np.random.Generator) -> Samples:
    """Return the hiss of a cassette, (2, samples): bright noise that fluctuates a little."""
    hiss = normal(band(noise(samples, random), 1_200, 13_000)) + 0.3 * normal(band(noise(samples, random), 80, 900))
    return to_stereo(np.asarray(hiss * slow(samples, random, 0.8, 0.92, 1.04), np.float32))
