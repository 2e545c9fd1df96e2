"""The delay pattern: codebook k is shifted by ``delays[k]`` frames, so that it can depend on the codebooks before it.

With 3 codebooks, delays 0, 1, 2 and the special code S, 4 frames look like this::

    a0 a1 a2 a3  S  S
     S b0 b1 b2 b3  S
     S  S c0 c1 c2 c3
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.musicgen.runner import Codes


def delay(codes: Codes, delays: Sequence[int], special_code: int) -> Codes:
    """Shift each codebook by its delay: (codebooks, frames) -> (codebooks, frames + longest delay)."""
    num_codebooks, frames = codes.shape
    delayed = np.full((num_codebooks, frames + max(delays)), special_code, np.int64)
    for codebook, shift in enumerate(delays):
        delayed[codebook, shift : shift + frames] = codes[codebook]
    return delayed
