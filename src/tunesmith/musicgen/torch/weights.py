"""Weights for a GPU: one safetensors file of float16, written and read tensor by tensor."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import LazyWeights

# Room for a name, a shape and two offsets; the rest is filled with spaces.
HEADER_BYTES_A_TENSOR = 256


def write_gpu_weights(path: Path, weights: Weights, names: Iterable[str]) -> None:
    """Write the tensors of these names.

    The header comes first in the file, but is filled in at the end, so that one tensor at a time is in memory.
    """
    wanted = sorted(names)
    reserved = HEADER_BYTES_A_TENSOR * len(wanted)
    header: dict[str, Any] = {}
    with path.open("wb") as file:
        file.write(reserved.to_bytes(8, "little"))
        file.seek(8 + reserved)
        end = 0
        for name in wanted:
            tensor = np.ascontiguousarray(weights[name], "<f2")
            start, end = end, end + tensor.nbytes
            header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [start, end]}
            file.write(tensor.data)
        text = json.dumps(header).encode()
        assert len(text) <= reserved
        file.seek(8)
        file.write(text.ljust(reserved))


def read_gpu_weights(path: Path) -> Weights:
    """Open the weights that ``write_gpu_weights`` wrote. Raises ModelFileError if the file is missing or broken."""
    if not path.is_file():
        raise ModelFileError(str(path), "is missing; pull the model again")
    return LazyWeights(read_safetensors(path))
