"""Position encoding: the sinusoids that the decoder adds to its inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sinusoidal_positions(count: int, size: int) -> NDArray[np.float32]:
    """Return the encodings (count, size): [cos | sin] of position / 10000^(i / (half - 1))."""
    # The cosines come first, unlike in the original Transformer: MusicGen was trained this way.
    half = size // 2
    rates = np.exp(np.arange(half, dtype=np.float32) * np.float32(-np.log(10_000) / (half - 1)))
    angles = np.arange(count, dtype=np.float32)[:, None] * rates
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
