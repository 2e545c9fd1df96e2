"""Reference results: what a model computes in float32, kept beside it so that its self-check can be repeated."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError

REFERENCE_RESULTS = "self_check.npz"


def write_reference_results(folder: Path, **arrays: NDArray[Any] | float) -> None:
    """Write arrays and numbers (in float32) by name to the model folder."""
    values = {name: np.float32(one) if isinstance(one, float) else one for name, one in arrays.items()}
    # NumPy's type stub accepts no mapping.
    np.savez(folder / REFERENCE_RESULTS, **values)  # type: ignore[arg-type]


def read_reference_results(folder: Path, *names: str) -> list[NDArray[Any]]:
    """Read the arrays of these names; raise ModelFileError if the file is missing, damaged or lacks one."""
    path = folder / REFERENCE_RESULTS
    try:
        # Opened here, because NumPy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return [stored[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(str(path), f"cannot be read ({error}); pull the model again") from None
