"""Random generators keyed by seed and purpose, so that changing one part of a piece leaves the others as they were."""

from __future__ import annotations

import hashlib

import numpy as np


def rng_for(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator for this seed and purpose; the same words always give the same stream."""
    words = "\x1f".join(str(word) for word in (seed, *purpose))
    digest = hashlib.blake2b(words.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
