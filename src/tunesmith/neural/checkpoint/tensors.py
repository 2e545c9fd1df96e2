"""Tensors on disk: the position in a file, read as float32 on access."""

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
"""Every number type in checkpoints with its size in bytes; all are little-endian."""


class Tensor(Protocol):
    """The protocol of a tensor that can be read as float32; errors about it name ``file``."""

    @property
    def file(self) -> str:
        """The name of the tensor's file."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, known without reading the data."""
        ...

    def read(self) -> NDArray[np.float32]:
        """Read the data from disk, anew on each call."""
        ...


Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file: ``offset`` of its first number in bytes, ``strides`` in numbers (None: row by row)."""

    path: Path
    kind: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...] | None = None

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.path.name

    @property
    def extent(self) -> int:
        """The number of bytes from the first number to the end of the last."""
        return _span(self.shape, self.strides) * NUMBER_BYTES[self.kind]

    def read(self) -> NDArray[np.float32]:
        """Read the data. Raises ModelFileError if the file has become shorter."""
        count = _span(self.shape, self.strides)
        # Read one tensor, not the file: a checkpoint may be larger than the memory.
        numbers = np.fromfile(self.path, storage_type(self.kind), count, offset=self.offset)
        if numbers.size != count:
            raise ModelFileError(self.file, f"it ends inside a tensor of shape {self.shape}")
        if self.strides is not None:
            steps = [stride * numbers.itemsize for stride in self.strides]
            # The span was read above, so the strides cannot reach outside the array.
            numbers = np.lib.stride_tricks.as_strided(numbers, self.shape, steps, writeable=False)
        return as_float32(numbers.reshape(self.shape), self.kind)

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


def storage_type(kind: str) -> np.dtype[np.generic]:
    """Return the NumPy type that a number type of NUMBER_BYTES is read with."""
    # NumPy has no bfloat16.
    name = "uint16" if kind == "bfloat16" else kind
    return np.dtype(name).newbyteorder("<")


def as_float32(numbers: NDArray[np.generic], kind: str) -> NDArray[np.float32]:
    """Return numbers that were read with ``storage_type`` as float32."""
    # bfloat16 is the upper half of a float32.
    if kind == "bfloat16":
        wide = numbers.astype(np.uint32)
        # In place: a table of 200 million numbers must not be in memory twice.
        wide <<= 16
        return wide.view(np.float32)
    return np.ascontiguousarray(numbers, np.float32)


@dataclass(frozen=True, slots=True)
class NormedTensor:
    """A weight stored as direction and length (weight norm): each output channel is ``length · direction /
    ‖direction‖``.

    Salimans and Kingma, 2016. The layout is torch's: length (channels, 1, …), direction (channels, …).
    """

    length: Tensor
    direction: Tensor

    @property
    def file(self) -> str:
        """The name of the direction's file."""
        return self.direction.file

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the weight."""
        return self.direction.shape

    def read(self) -> NDArray[np.float32]:
        """Read both parts and fold them; a direction of zeros has no norm to divide by and stays zeros."""
        direction = self.direction.read()
        norm = np.linalg.norm(direction.reshape(len(direction), -1), axis=1)
        gain = self.length.read().reshape(-1) / np.where(norm == 0, 1, norm)
        return np.asarray(direction * gain.reshape(-1, *[1] * (direction.ndim - 1)), np.float32)


@dataclass(frozen=True, slots=True)
class RearrangedTensor:
    """A tensor whose layout stores the axes in another order or with axes of one element.

    ``axes`` is the order to bring the axes into first, ``shape`` the shape at the end.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    axes: tuple[int, ...] | None = None

    @property
    def file(self) -> str:
        """The name of the tensor's file."""
        return self.tensor.file

    def read(self) -> NDArray[np.float32]:
        """Read the data and rearrange it."""
        return np.ascontiguousarray(self.tensor.read().transpose(self.axes or range(len(self.tensor.shape)))).reshape(
            self.shape
        )


@dataclass(frozen=True, slots=True)
class JoinedTensor:
    """A tensor that a layout stores in parts, joined along the first axis, such as the projections to q, k and v."""

    parts: tuple[Tensor, ...]

    @property
    def file(self) -> str:
        """The name of the first part's file."""
        return self.parts[0].file

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole."""
        return (sum(part.shape[0] for part in self.parts), *self.parts[0].shape[1:])

    def read(self) -> NDArray[np.float32]:
        """Read the parts and join them."""
        return np.concatenate([part.read() for part in self.parts])


@dataclass(frozen=True, slots=True)
class IdentityTensor:
    """An omitted projection between equal widths: the identity, or a bias of zeros."""

    file: str
    shape: tuple[int, ...]

    def read(self) -> NDArray[np.float32]:
        """Return the identity or the zeros."""
        return np.eye(*self.shape, dtype=np.float32) if len(self.shape) == 2 else np.zeros(self.shape, np.float32)


class LazyWeights(Mapping[str, NDArray[np.float32]]):
    """Tensors by name, each read on access and not kept. Raises ModelFileError for NaN or infinite numbers."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        tensor = self._tensors[name]
        numbers = tensor.read()
        # Damaged weights would surface only as noise during generation.
        if not np.isfinite(numbers).all():
            raise ModelFileError(tensor.file, f"{name} contains NaN or infinite values")
        return numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)
