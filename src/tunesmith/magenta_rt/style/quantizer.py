"""The quantizer: an embedding to one code a level, each the nearest to what the levels before have left over."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def codebook_name(level: int) -> str:
    """Return the name of a level's codebook in the file of the tables."""
    return f"codebooks.{level}"


def quantize_style(embedding: NDArray[np.float32], codebooks: Iterable[NDArray[np.float32]]) -> tuple[int, ...]:
    """Return the codes (levels,) of an embedding (width,) in codebooks, each (codes, width)."""
    codes, rest = [], embedding
    for codebook in codebooks:
        code = int(np.square(rest - codebook).sum(axis=1).argmin())
        codes.append(code)
        rest = rest - codebook[code]
    return tuple(codes)
