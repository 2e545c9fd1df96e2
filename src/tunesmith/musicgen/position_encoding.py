"""Where in time a state is: sinusoids added to it, the cosines before the sines (as MusicGen was trained)."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import TextEncoderShape


def sinusoidal_positions(count: int, size: int) -> NDArray[np.float32]:
    """Return (count, size): [cos | sin] of position / 10000^(i / (half - 1))."""
    half = size // 2
    rates = np.exp(np.arange(half, dtype=np.float32) * np.float32(-np.log(10_000) / (half - 1)))
    angles = np.arange(count, dtype=np.float32)[:, None] * rates
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


T5_PREFIX = "text_encoder.encoder."
T5_EMBEDDING = "text_encoder.shared.weight"
T5_PROJECTION = "enc_to_dec_proj"


def relative_buckets(shape: TextEncoderShape) -> NDArray[np.int64]:
    """Return the bucket of each distance, key - query, from -max_distance to max_distance.

    Half of the buckets are for keys that come after. Of each half, the first half are single distances and the rest
    grow as the logarithm; the last takes every distance from max_distance on.
    """
    half = shape.relative_buckets // 2
    exact = half // 2
    distances = np.arange(-shape.relative_max_distance, shape.relative_max_distance + 1)
    away = np.abs(distances)
    # In float32 and in this order, as the model was trained: the edges of buckets fall where rounding puts them.
    growth = np.log(np.maximum(away, 1).astype(np.float32) / np.float32(exact))
    scaled = growth / np.float32(log(shape.relative_max_distance / exact)) * np.float32(half - exact)
    far = np.minimum(exact + scaled.astype(np.int64), half - 1)
    buckets: NDArray[np.int64] = np.where(away < exact, away, far) + half * (distances > 0)
    return buckets
