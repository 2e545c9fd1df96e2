"""Random generators keyed by seed and purpose, so that changing one part of a piece leaves the others unchanged."""

from __future__ import annotations

import hashlib
import math
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


def choice_for(seed: int, *purpose: str | int, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
    """Return one of ``options``, evenly or by ``weights``, drawn for a seed and a purpose.

    Each option has a number of its own, drawn by its name, and the option whose number suits its weight best wins (an
    exponential race: Efraimidis and Spirakis, 2006). So an option that comes or goes, or a changed weight, changes the
    outcome only where it wins or loses.
    """
    weights = weights or [1.0] * len(options)
    # Equal options share a number, so their weights add up.
    shares: dict[str, float] = {}
    for option, weight in zip(options, weights, strict=True):
        shares[str(option)] = shares.get(str(option), 0.0) + weight
    words = "\x1f".join(str(word) for word in (seed, *purpose))
    times = {
        name: -math.log(_uniform(f"{words}\x1f{name}")) / weight if weight > 0 else math.inf
        for name, weight in shares.items()
    }
    first = min(sorted(times), key=lambda name: times[name])
    return next(option for option in options if str(option) == first)


def _uniform(words: str) -> float:
    """Return the number of a text, above 0 and up to 1."""
    digest = hashlib.blake2b(words.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") + 1) / 2**64


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
