"""Tensors on disk: where one lies in its file, read as float32 when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError

NUMBER_BYTES: Mapping[str, int] = {
    "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "uint8": 1, "int8": 1, "bool": 1, "int16": 2, "int32": 4,
    "int64": 8,
}  # fmt: skip
"""Every kind of number that checkpoints hold, with its size; all are little-endian."""


class Tensor(Protocol):
    """Numbers that can be had as float32; ``file`` is what an error about them names."""

    @property
    def file(self) -> str:
        """Name of the file they come from."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Their shape, known without reading them."""
        ...

    def read(self) -> NDArray[np.float32]:
        """Read them from disk, afresh each time."""
        ...


Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file: ``offset`` in bytes of its first number, ``strides`` in numbers (None: row by row)."""

    path: Path
    kind: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...] | None = None

    @property
    def file(self) -> str:
        """Name of its file."""
        return self.path.name

    @property
    def extent(self) -> int:
        """Bytes of the file from its first number to its last."""
        return _span(self.shape, self.strides) * NUMBER_BYTES[self.kind]

    def read(self) -> NDArray[np.float32]:
        """Read it; raise ModelFileError where the file has become shorter."""
        count = _span(self.shape, self.strides)
        numbers = np.fromfile(self.path, _storage_type(self.kind), count, offset=self.offset)
        if numbers.size != count:
            raise ModelFileError(self.file, f"it ends inside a tensor of shape {self.shape}")
        if self.strides is not None:
            steps = [stride * numbers.itemsize for stride in self.strides]
            numbers = np.lib.stride_tricks.as_strided(numbers, self.shape, steps, writeable=False)
        return _float32(numbers.reshape(self.shape), self.kind)

    def part(self, number: int, parts: int) -> StoredTensor:
        """Return one of equal parts along the first axis, such as one of three fused projections."""
        rows = self.shape[0] // parts
        row = (self.strides or row_strides(self.shape))[0] * NUMBER_BYTES[self.kind]
        return replace(self, shape=(rows, *self.shape[1:]), offset=self.offset + number * rows * row)


def row_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides, in numbers, of a tensor stored row by row."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _span(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> int:
    if strides is None or 0 in shape:
        return prod(shape)
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))


def _storage_type(kind: str) -> np.dtype[np.generic]:
    name = "uint16" if kind == "bfloat16" else kind
    return np.dtype(name).newbyteorder("<")


def _float32(numbers: NDArray[np.generic], kind: str) -> NDArray[np.float32]:
    if kind == "bfloat16":  # the upper half of a float32
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return np.ascontiguousarray(numbers, np.float32)


@dataclass(frozen=True, slots=True)
class NormedTensor:
    """A weight kept as direction and length (weight norm): each output channel is ``length · direction / ‖direction‖``.

    Salimans and Kingma, 2016. Both come as torch has them: length (channels, 1, …), direction (channels, …).
    """

    length: Tensor
    direction: Tensor

    @property
    def file(self) -> str:
        """Name of the direction's file."""
        return self.direction.file

    @property
    def shape(self) -> tuple[int, ...]:
        """The weight's shape."""
        return self.direction.shape

    def read(self) -> NDArray[np.float32]:
        """Read both and fold them; a direction of zeros has no length to divide by and stays zeros."""
        direction = self.direction.read()
        norm = np.linalg.norm(direction.reshape(len(direction), -1), axis=1)
        gain = self.length.read().reshape(-1) / np.where(norm == 0, 1, norm)
        return np.asarray(direction * gain.reshape(-1, *[1] * (direction.ndim - 1)), np.float32)


@dataclass(frozen=True, slots=True)
class IdentityTensor:
    """A projection that was left out because both sides are equally wide: the identity, or a bias of zeros."""

    file: str
    shape: tuple[int, ...]

    def read(self) -> NDArray[np.float32]:
        """Make it."""
        return np.eye(*self.shape, dtype=np.float32) if len(self.shape) == 2 else np.zeros(self.shape, np.float32)


class LazyWeights(Mapping[str, NDArray[np.float32]]):
    """Tensors by name, each read when asked for and not kept; raises ModelFileError for NaN or infinite numbers."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        tensor = self._tensors[name]
        numbers = tensor.read()
        if not np.isfinite(numbers).all():
            raise ModelFileError(tensor.file, f"{name} has numbers that are NaN or infinite")
        return numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)
