"""TFLite files with constants and products, written by the flatbuffers package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

FLOAT32, FULLY_CONNECTED, GATHER = 0, 9, 36
OPERATIONS = (GATHER, FULLY_CONNECTED)
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Graph:
    """Constants by name, and operations: the kind and the names of the inputs, "" for what is computed."""

    constants: Mapping[str, Array]
    operations: Sequence[tuple[int, tuple[str, ...]]] = field(default=())


def write_tflite(path: Path, graphs: Sequence[Graph]) -> Path:
    """Write a model; a name may begin with ``#1 `` and the like, to let two constants have one."""
    builder = flatbuffers.Builder(1 << 16)
    # The first buffer is empty: that of everything which is computed.
    buffers = [_table(builder, {})]
    subgraphs = []
    for graph in graphs:
        tensors = [_tensor(builder, "computed", (1, 4), 0)]
        places = {"": 0}
        for name, array in graph.constants.items():
            places[name] = len(tensors)
            tensors.append(
                _tensor(builder, name.partition(" ")[2] if name[0] == "#" else name, array.shape, len(buffers))
            )
            data = builder.CreateNumpyVector(np.frombuffer(np.ascontiguousarray(array, "<f4").tobytes(), np.uint8))
            buffers.append(_table(builder, {0: ("offset", data)}))
        operators = [
            _operator(builder, OPERATIONS.index(kind), [places[name] for name in inputs])
            for kind, inputs in graph.operations
        ]
        subgraphs.append(
            _table(builder, {0: ("offset", _tables(builder, tensors)), 3: ("offset", _tables(builder, operators))})
        )
    codes = [_table(builder, {0: ("int8", kind), 3: ("int32", kind)}) for kind in OPERATIONS]
    model = _table(builder, {
        0: ("uint32", 3), 1: ("offset", _tables(builder, codes)), 2: ("offset", _tables(builder, subgraphs)),
        4: ("offset", _tables(builder, buffers)),
    })  # fmt: skip
    builder.Finish(model, file_identifier=b"TFL3")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(builder: Any, name: str, shape: Sequence[int], buffer: int) -> int:
    sizes, text = builder.CreateNumpyVector(np.array(shape, np.int32)), builder.CreateString(name)
    return _table(builder, {0: ("offset", sizes), 1: ("int8", FLOAT32), 2: ("uint32", buffer), 3: ("offset", text)})


def _operator(builder: Any, code: int, inputs: Sequence[int]) -> int:
    return _table(builder, {0: ("uint32", code), 1: ("offset", builder.CreateNumpyVector(np.array(inputs, np.int32)))})


def _tables(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _table(builder: Any, fields: Mapping[int, tuple[str, int]]) -> int:
    builder.StartObject(max(fields, default=-1) + 1)
    slots = {
        "offset": builder.PrependUOffsetTRelativeSlot, "int8": builder.PrependInt8Slot,
        "int32": builder.PrependInt32Slot, "uint32": builder.PrependUint32Slot,
    }  # fmt: skip
    for number, (kind, value) in fields.items():
        slots[kind](number, value, 0)
    return int(builder.EndObject())
