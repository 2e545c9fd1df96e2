"""Position encodings: the sinusoids of the decoder and the relative buckets of T5."""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import TextEncoderShape


def sinusoidal_positions(count: int, size: int) -> NDArray[np.float32]:
    """Return the encodings (count, size): [cos | sin] of position / 10000^(i / (half - 1))."""
    # The cosines come first, unlike in the original Transformer: MusicGen was trained this way.
    half = size // 2
    rates = np.exp(np.arange(half, dtype=np.float32) * np.float32(-np.log(10_000) / (half - 1)))
    angles = np.arange(count, dtype=np.float32)[:, None] * rates
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


T5_PREFIX = "text_encoder.encoder."
T5_EMBEDDING = "text_encoder.shared.weight"
T5_PROJECTION = "enc_to_dec_proj"


def relative_buckets(shape: TextEncoderShape) -> NDArray[np.int64]:
    """Return the bucket of each distance, key - query, from -max_distance to max_distance.

    One half of the buckets is for keys after the query. In each half, the first half holds single distances and the
    rest
    grow logarithmically; the last bucket holds every distance from max_distance on.
    """
    half = shape.relative_buckets // 2
    exact = half // 2
    distances = np.arange(-shape.relative_max_distance, shape.relative_max_distance + 1)
    away = np.abs(distances)
    # Compute in float32 and in this order, as in training: rounding decides on which side of a bucket's edge a distance
    # falls.
    growth = np.log(np.maximum(away, 1).astype(np.float32) / np.float32(exact))
    scaled = growth / np.float32(log(shape.relative_max_distance / exact)) * np.float32(half - exact)
    far = np.minimum(exact + scaled.astype(np.int64), half - 1)
    buckets: NDArray[np.int64] = np.where(away < exact, away, far) + half * (distances > 0)
    return buckets
