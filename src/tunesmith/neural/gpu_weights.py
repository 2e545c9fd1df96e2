"""Weights for a GPU, or for NumPy: one safetensors file of float16, or float32 in part, tensor by tensor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import LazyWeights

Weights = Mapping[str, NDArray[np.float32]]

# Room for a name, a shape and two offsets; the rest is filled with spaces.
HEADER_BYTES_A_TENSOR = 256


def write_gpu_weights(
    path: Path, weights: Weights, names: Iterable[str], is_exact: Callable[[str], bool] = lambda _: False
) -> None:
    """Write the tensors of these names, in float32 where a name ``is_exact``.

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
            tensor = weights[name]
            # float16 ends at 65,504.
            is_wide = is_exact(name) or bool(np.abs(tensor).max(initial=0) > np.finfo(np.float16).max)
            dtype, stored = ("F32", "<f4") if is_wide else ("F16", "<f2")
            tensor = np.ascontiguousarray(tensor, stored)
            start, end = end, end + tensor.nbytes
            header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
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
