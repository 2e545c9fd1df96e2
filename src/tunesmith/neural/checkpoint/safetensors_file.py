"""Safetensors files: eight bytes of header length, a JSON header with the position of each tensor, then the data."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensors import NUMBER_BYTES, StoredTensor

KINDS = {
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "U8": "uint8", "I8": "int8",
    "BOOL": "bool", "I16": "int16", "I32": "int32", "I64": "int64",
}  # fmt: skip
# The limit of the format's own reader.
LONGEST_HEADER = 100_000_000


def read_safetensors(path: Path) -> dict[str, StoredTensor]:
    """Return the tensors of the file by name, without their data. Raises ModelFileError if the file is broken."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        # Check the length before reading: a damaged one could ask for terabytes.
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise ModelFileError(path.name, f"its header of {length} bytes does not fit into its {size} bytes")
        header = _parse(file.read(length), path)
    tensors = {name: _tensor(path, name, entry, 8 + length) for name, entry in header.items() if name != "__metadata__"}
    # A truncated download must fail now, not in the middle of a conversion.
    for name, tensor in tensors.items():
        if tensor.offset + tensor.extent > size:
            end = tensor.offset + tensor.extent
            raise ModelFileError(path.name, f"it is cut off: {name} ends at byte {end}, the file at byte {size}")
    return tensors


def _parse(text: bytes, path: Path) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(path.name, "its header is not JSON: this is not a safetensors file") from error
    if not isinstance(header, dict):
        raise ModelFileError(path.name, "its header is not a JSON object")
    return header


def _tensor(path: Path, name: str, entry: Any, start: int) -> StoredTensor:
    match entry:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [int(first), int(last)]}:
            pass
        case _:
            raise ModelFileError(path.name, f"header: the entry of {name} does not describe a tensor")
    if kind not in KINDS:
        raise ModelFileError(path.name, f"{name}: unsupported dtype {kind}")
    if not all(isinstance(axis, int) and axis >= 0 for axis in shape) or first < 0:
        raise ModelFileError(path.name, f"{name}: invalid shape {shape} at byte {first}")
    if last - first != prod(shape) * NUMBER_BYTES[KINDS[kind]]:
        raise ModelFileError(path.name, f"{name}: shape {shape} of {kind} does not fill bytes {first} to {last}")
    return StoredTensor(path, KINDS[kind], tuple(shape), start + first)
