"""Random generators keyed by seed and purpose, so that changing one part of a piece leaves the others unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np


def rng_for(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator for a seed and a purpose; the same words always give the same stream."""
    # The separator keeps ("a", "bc") and ("ab", "c") apart; the digest, unlike hash(), is the same in every process.
    words = "\x1f".join(str(word) for word in (seed, *purpose))
    digest = hashlib.blake2b(words.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


T = TypeVar("T")


def weighted_choice(random: np.random.Generator, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """Return one of ``options``, evenly or by ``weights`` (not all zero)."""
    if weights is None:
        return options[int(random.random() * len(options))]
    mark = float(random.random()) * sum(weights)
    for option, weight in zip(options, weights, strict=True):
        mark -= weight
        if mark < 0:
            return option
    # Rounding can leave a remainder after the last option; the likeliest one then stands.
    return max(zip(weights, range(len(options)), options, strict=True))[2]


def chance_of(random: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability."""
    return bool(random.random() < probability)


SHARES = 4
"""Independent shares that 64 bits of chance hold."""


def share(chance: int, index: int) -> float:
    """Return the ``index``-th number (0 to SHARES − 1) of 64 random bits, 0 up to but not including 1."""
    return (chance >> (64 // SHARES * index) & 0xFFFF) / (1 << 16)
