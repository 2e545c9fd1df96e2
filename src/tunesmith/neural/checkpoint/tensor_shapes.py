"""Names and shapes of the tensors that a model needs, and the check that a checkpoint has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensors import Tensor

Shapes = dict[str, tuple[int, ...]]
Named = Iterator[tuple[str, tuple[int, ...]]]


def select(tensors: Mapping[str, Tensor], shapes: Shapes, file: str) -> dict[str, Tensor]:
    """Return the tensors of these names. Raises ModelFileError if one is missing or has another shape."""
    for name, shape in shapes.items():
        if name not in tensors:
            raise ModelFileError(file, f"{name} of shape {shape} is missing")
        if tensors[name].shape != shape:
            got = tensors[name].shape
            raise ModelFileError(tensors[name].file, f"{name} must have shape {shape}, got {got}")
    return {name: tensors[name] for name in shapes}
