"""Numbers that the reference implementations of Stable Audio computed, from ``../shared`` beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file

Array = npt.NDArray[np.float32]
VECTORS = Path(__file__).parents[3] / "shared" / "fixtures" / "stable_audio"


def vectors(name: str) -> dict[str, Array]:
    """Return the arrays of a file such as ``sa3_small/dit``; the test is skipped where the files are not there."""
    path = VECTORS / f"{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"the reference's numbers are not here: {path}")
    return load_file(path)


def facts(name: str) -> dict[str, Any]:
    """Return the JSON file beside the arrays."""
    found: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def rows(array: Array) -> Array:
    """Return latents (…, 1, channels, length) of the reference as ours: (…, length, channels)."""
    return np.ascontiguousarray(np.squeeze(array, -3).swapaxes(-1, -2))


def relative_error(computed: Array, expected: Array) -> float:
    """Return the norm of the difference relative to that of the expected array."""
    return float(np.linalg.norm(computed.astype(np.float64) - expected) / np.linalg.norm(expected))
