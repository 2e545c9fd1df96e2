"""Numbers that the reference of Magenta RealTime 2 computed, from ``../shared`` beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

MAGENTA_VECTORS = Path(__file__).parents[3] / "shared" / "fixtures" / "magenta_rt"
TINY_WEIGHTS = MAGENTA_VECTORS / "mrt2_tiny" / "mrt2_tiny.safetensors"
has_magenta_vectors = pytest.mark.skipif(
    not TINY_WEIGHTS.is_file(), reason=f"the reference's numbers are not here: {MAGENTA_VECTORS}"
)


def magenta_arrays(name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file such as ``mrt2_tiny/codec``; the test is skipped where the files are not there."""
    path = MAGENTA_VECTORS / f"{name}.npz"
    if not path.is_file():
        pytest.skip(f"the reference's numbers are not here: {path}")
    with np.load(path) as stored:
        return dict(stored)
