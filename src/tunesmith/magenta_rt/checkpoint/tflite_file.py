"""TFLite files: the constants of a model by the names of their operations, read without TFLite.

Four tables of its schema (tensorflow/lite/schema/schema.fbs) hold them: Model, SubGraph, Tensor and Buffer; a fifth,
Operator, tells the order of the products. No operation is run.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.flatbuffer import FlatBuffer, FlatTable
from tunesmith.neural.checkpoint.tensors import NUMBER_BYTES, StoredTensor
from tunesmith.neural.checkpoint.weight_files import check_is_there

IDENTIFIER = b"TFL3"
KINDS = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    10: "float64",
}
"""The number types of the schema that constants may have."""
FULLY_CONNECTED = 9
"""The schema's number of the product of a matrix."""
MOST_GRAPHS, MOST_OPERATIONS, MOST_TENSORS = 64, 1000, 10_000
"""The longest accepted lists; the files of this family have 1 to 3 graphs of a few thousand tensors."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a graph; ``name`` lists the operations that share it, separated by ``;``."""

    name: str
    tensor: StoredTensor

    @property
    def first_name(self) -> str:
        """The name of the operation that comes first."""
        return self.name.partition(";")[0]


@dataclass(frozen=True, slots=True)
class Subgraph:
    """The constants of a graph by their numbers, and the inputs of its products in the order of their computation."""

    file: str
    constants: dict[int, Constant]
    products: tuple[tuple[int, ...], ...]

    def find(self, pattern: str, shape: tuple[int, ...]) -> StoredTensor:
        """Return the one constant of this shape whose name matches.

        The first of several names counts most: a constant that two operations share has the names of both. Raises
        ModelFileError, which names the pattern, if there is none, or more than one.
        """
        named = self._named(pattern)
        alike = [one for one in named if one.tensor.shape == shape]
        found = [one for one in alike if re.search(pattern, one.first_name)] or alike
        if len(found) == 1:
            return found[0].tensor
        if found:
            raise ModelFileError(self.file, f"{len(found)} tensors of shape {shape} are called {pattern}, not one")
        if named:
            raise ModelFileError(self.file, f"{pattern} must have shape {shape}, got {named[0].tensor.shape}")
        raise ModelFileError(self.file, f"{pattern} of shape {shape} is missing")

    def holds(self, pattern: str) -> bool:
        """Return whether a constant of such a name is there."""
        return bool(self._named(pattern))

    def shape_of(self, pattern: str, axes: int, last: int | None = None) -> tuple[int, ...]:
        """Return the shape of the largest constant of so many axes whose name matches. Raises ModelFileError.

        ``last`` is the size of the last axis, if it is known.
        """
        named = [one.tensor.shape for one in self._named(pattern)]
        shapes = [shape for shape in named if len(shape) == axes and last in (None, shape[-1])]
        if not shapes:
            raise ModelFileError(self.file, f"{pattern} with {axes} axes is missing")
        return max(shapes, key=prod)

    def _named(self, pattern: str) -> list[Constant]:
        search = re.compile(pattern).search
        return [one for one in self.constants.values() if search(one.name) or search(one.first_name)]


def read_tflite(path: Path) -> list[Subgraph]:
    """Return the graphs of a file, without the data of their constants.

    Raises ModelFileError if it is missing, cut off, damaged or no TFLite file.
    """
    check_is_there(path)
    with path.open("rb") as file:
        if file.read(8)[4:] != IDENTIFIER:
            raise ModelFileError(path.name, "it is not a TFLite file: it does not begin with TFL3")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _read_model(path, FlatBuffer(content, path.name).root())


def _read_model(path: Path, model: FlatTable) -> list[Subgraph]:
    buffers = [_extent(buffer) for buffer in model.tables(4, MOST_TENSORS * MOST_GRAPHS)]
    # The older field has one byte; numbers beyond it are in the newer one.
    operations = [max(code.number(0, 1, signed=True), code.number(3, 4)) for code in model.tables(1, MOST_OPERATIONS)]
    subgraphs = [_read_subgraph(path, table, buffers, operations) for table in model.tables(2, MOST_GRAPHS)]
    if not subgraphs:
        raise ModelFileError(path.name, "it has no graph")
    return subgraphs


def _extent(buffer: FlatTable) -> tuple[int, int]:
    """Return the first byte of a buffer's data and their number; 0 bytes for a tensor that is no constant."""
    start, size = buffer.vector(0, 1, most=None)
    # Files above 2 GB have the data behind the tables.
    return (start, size) if size else (buffer.number(1, 8), buffer.number(2, 8))


def _read_subgraph(path: Path, table: FlatTable, buffers: list[tuple[int, int]], operations: list[int]) -> Subgraph:
    constants = dict(_constants(path, table, buffers))
    operators = list(table.tables(3, MOST_TENSORS))
    products = tuple(one.integers(1) for one in operators if _operation(one, operations) == FULLY_CONNECTED)
    return Subgraph(path.name, constants, products)


def _operation(operator: FlatTable, operations: list[int]) -> int:
    number = operator.number(0, 4)
    if number >= len(operations):
        raise ModelFileError(operator.buffer.file, f"it is damaged: operation {number} of {len(operations)} is named")
    return operations[number]


def _constants(path: Path, table: FlatTable, buffers: list[tuple[int, int]]) -> Iterator[tuple[int, Constant]]:
    for number, tensor in enumerate(table.tables(0, MOST_TENSORS)):
        buffer, name = tensor.number(2, 4), tensor.text(3)
        if buffer >= len(buffers):
            raise ModelFileError(path.name, f"it is damaged: {name} is in buffer {buffer} of {len(buffers)}")
        start, size = buffers[buffer]
        kind = KINDS.get(tensor.number(1, 1, signed=True))
        # What is computed has no data, and texts are no weights.
        if not size or kind is None:
            continue
        table.buffer.check(start, size)
        shape = tensor.integers(0)
        if any(axis < 0 for axis in shape) or prod(shape) * NUMBER_BYTES[kind] != size:
            raise ModelFileError(path.name, f"{name}: shape {shape} of {kind} does not fill its {size} bytes")
        yield number, Constant(name, StoredTensor(path, kind, shape, start))
