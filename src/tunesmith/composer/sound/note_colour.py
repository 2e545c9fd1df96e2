"""The colour of a single note: a slight ripple of its onset's spectrum, as if it had been struck at another place."""

from __future__ import annotations

import functools

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.rng import share
from tunesmith.composer.sound.lru_cache import Floats

COLOURED = 8192
"""Samples (0.19 s) over which the ripple fades: a sustained tone ends up the same."""

DEEPEST = 0.75
"""The echo's largest gain, up or down: its ripple has peaks of at most 5 dB and notches of at most 12."""

LONGEST_DELAY = 14
"""Samples; the ripple of a delay of n has its first peak or notch at half the sample rate over n."""


def colour(sound: Samples | Floats, chance: int) -> None:
    """Colour the onset of (channels, samples) or (samples,), in place; a chance of 0 changes nothing.

    A short echo is a comb filter: it is what moving a pick or a stick along does, and costs one product.
    """
    samples = min(COLOURED, sound.shape[-1])
    delay = 1 + int(share(chance, 1) * LONGEST_DELAY)
    if not chance or samples <= delay:
        return
    depth = np.float32(DEEPEST * (2 * share(chance, 2) - 1))
    sound[..., delay:samples] += sound[..., : samples - delay] * (_fade()[: samples - delay] * depth)


@functools.cache
def _fade() -> Floats:
    return np.linspace(1, 0, COLOURED, dtype=np.float32)
