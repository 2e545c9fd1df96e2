"""The language model on ONNX Runtime: one run of the temporal graph a frame, one of the depth graph a code.

All arrays that the graphs read and write are bound once for each number of rows; a run then copies nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.model_folder import DEPTH, DEPTH_EMBEDDINGS, FRAME_EMBEDDINGS, SINKS, TEMPORAL
from tunesmith.magenta_rt.row_memory import RowMemory
from tunesmith.neural.huge_pages import huge_pages
from tunesmith.neural.sampling import Codes, Logits
from tunesmith.neural.sessions import ALL_CORES, SessionOptions, as_value, open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, IOBinding

Array = NDArray[np.float32]

START = -1
"""What stands for each code of the frame before the first."""
# The int8 kernels process rows in pairs; an odd row goes through another kernel with different rounding.
ROWS_STEP = 2


class FrameModel(Protocol):
    """The arithmetic of the language model, for a fixed number of batch rows."""

    @property
    def architecture(self) -> MagentaArchitecture:
        """The sizes and rules of the model."""
        ...

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        ...

    def open_row(self, row: int) -> None:
        """Clear a row for a new stream."""
        ...

    def copy_row(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        ...

    def start_frame(self, previous: Codes, sources: Array, advancing: NDArray[np.bool_]) -> None:
        """Compute the first n rows up to the codes of a frame.

        ``previous`` (n, codebooks) are the codes of the frame before, or START; ``sources`` (n, source width) what this
        one is conditioned on. Rows that are not ``advancing`` (n,) stay as they are, and their codes have no meaning.
        """
        ...

    def logits(self, level: int, codes: Codes | None) -> Logits:
        """Return the logits (n, codebook size) of a level, given the codes (n,) of the level before.

        The levels of a frame come in order; the first is given None. The result is valid until the next call.
        """
        ...


class LanguageModel:
    """A FrameModel over the graphs of a model folder."""

    def __init__(
        self, folder: Path, architecture: MagentaArchitecture, *, num_rows: int = 1, options: SessionOptions = ALL_CORES
    ) -> None:  # fmt: skip
        self.architecture = architecture
        self.num_rows = num_rows
        # Packing the weights allocates most of the memory, so the advice covers these calls.
        with huge_pages():
            self._temporal = open_session(folder / TEMPORAL, options)
            self._depth = open_session(folder / DEPTH, options)
        # Mapped, so that only pages in use take memory; a plain view indexes faster than np.memmap.
        self._frame_table = np.load(folder / FRAME_EMBEDDINGS, mmap_mode="r").view(np.ndarray)
        self._depth_table = np.load(folder / DEPTH_EMBEDDINGS, mmap_mode="r").view(np.ndarray)
        self._memory = RowMemory(np.load(folder / SINKS), ROWS_STEP, architecture.window_frames)
        self._level_starts = np.arange(architecture.num_codebooks) * architecture.codebook_size
        self._frames: dict[int, _FrameRun] = {}
        self._levels: dict[int, _LevelRun] = {}
        self._count = 0

    def open_row(self, row: int) -> None:
        """Clear a row for a new stream."""
        # A row takes 8 MB, and most of the time there is one stream.
        if row >= self._memory.num_rows:
            self._memory.grow(_in_pairs(row + 1))
            self._frames.clear()
        self._memory.open(row)

    def copy_row(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        self._memory.copy(source, target)

    def start_frame(self, previous: Codes, sources: Array, advancing: NDArray[np.bool_]) -> None:
        """Compute the first n rows up to the codes of a frame."""
        self._count = count = len(previous)
        run = self._frame_run(_in_pairs(count))
        # The first row of the table is the start; the codes of each level follow.
        ids = np.where(previous == START, 0, 1 + self._level_starts + previous)
        # In float32 first: the tables may be stored in float16.
        run.frame[:count, 0] = self._frame_table[ids].astype(np.float32).sum(axis=1)
        run.source[:count, 0] = sources
        run.run()
        for row in np.flatnonzero(advancing).tolist():
            self._memory.keep_frame(row)

    def depth_input(self, rows: int) -> Array:
        """Return what the temporal transformer gave the depth transformer in this frame: (rows, depth hidden)."""
        return self._frame_run(_in_pairs(rows)).depth_input[:rows, 0]

    def logits(self, level: int, codes: Codes | None) -> Logits:
        """Return the logits of a level, given the codes of the level before."""
        run = self._level_run(_in_pairs(self._count))
        if codes is None:
            run.depth_input[:] = self._frame_run(_in_pairs(self._count)).depth_input
        else:
            # The table has both the embedding and the adapter of the depth transformer in it.
            run.depth_input[: self._count, 0] = self._depth_table[self._level_starts[level - 1] + codes]
        return run.run(level)[: self._count]

    def _frame_run(self, rows: int) -> _FrameRun:
        if rows not in self._frames:
            self._frames[rows] = _FrameRun(self._temporal, self.architecture, self._memory, rows)
        return self._frames[rows]

    def _level_run(self, rows: int) -> _LevelRun:
        if rows not in self._levels:
            self._levels[rows] = _LevelRun(self._depth, self.architecture, rows)
        return self._levels[rows]


class _FrameRun:
    """A run of the temporal graph for the first rows, bound to the buffers that it reads and writes."""

    def __init__(
        self, session: InferenceSession, architecture: MagentaArchitecture, memory: RowMemory, rows: int
    ) -> None:  # fmt: skip
        self.frame = np.zeros((rows, 1, architecture.temporal.hidden_size), np.float32)
        self.source = np.zeros((rows, 1, architecture.source_width), np.float32)
        self.depth_input = np.zeros((rows, 1, architecture.depth.hidden_size), np.float32)
        self._memory_lengths = memory.lengths[:rows]
        self._longest = np.zeros(1, np.int32)
        self._session = session
        self._binding = session.io_binding()
        inputs = {"frame": self.frame, "source": self.source, "lengths": self._memory_lengths, "longest": self._longest}
        for name, array in inputs.items():
            self._binding.bind_ortvalue_input(name, as_value(array))
        self._binding.bind_ortvalue_output("depth_input", as_value(self.depth_input))
        for number, keys, values in memory.buffers(rows):
            attention = f"{'cross' if number % 2 else 'self'}_{number // 2}"
            _bind_in_place(self._binding, attention, keys, values)

    def run(self) -> None:
        """Compute ``depth_input`` and append the frame to the memory."""
        self._longest[0] = self._memory_lengths.max() + 1
        self._session.run_with_iobinding(self._binding)


class _LevelRun:
    """A run of the depth graph for the first rows, bound to the buffers that it reads and writes."""

    def __init__(self, session: InferenceSession, architecture: MagentaArchitecture, rows: int) -> None:
        shape, levels = architecture.depth, architecture.num_codebooks
        self.depth_input = np.zeros((rows, 1, shape.hidden_size), np.float32)
        self._logits = np.zeros((rows, architecture.codebook_size), np.float32)
        self._lengths = np.zeros(rows, np.int32)
        self._longest = np.zeros(1, np.int32)
        self._rows_by_level = np.zeros(levels, np.int64)
        memory = np.zeros((shape.num_layers, 2, rows, shape.num_heads, levels, shape.head_size), np.float32)
        self._rows = rows
        self._session = session
        self._binding = session.io_binding()
        inputs: dict[str, NDArray[Any]] = {
            "depth_input": self.depth_input, "lengths": self._lengths, "longest": self._longest,
            "rows_by_level": self._rows_by_level,
        }  # fmt: skip
        for name, array in inputs.items():
            self._binding.bind_ortvalue_input(name, as_value(array))
        self._binding.bind_ortvalue_output("logits", as_value(self._logits))
        for layer, (keys, values) in enumerate(memory):
            _bind_in_place(self._binding, f"self_{layer}", keys, values)

    def run(self, level: int) -> Logits:
        """Append ``depth_input`` to the levels of the frame; return the logits (rows, codebook size)."""
        self._lengths[:], self._longest[0] = level, level + 1
        self._rows_by_level[:] = 0
        self._rows_by_level[level] = self._rows
        self._session.run_with_iobinding(self._binding)
        return self._logits


def _bind_in_place(binding: IOBinding, attention: str, keys: Array, values: Array) -> None:
    """Bind a memory as input and output at once: the graph appends to it in place."""
    for name, array in ((f"{attention}_key", keys), (f"{attention}_value", values)):
        value = as_value(array)
        binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output(f"new_{name}", value)


def _in_pairs(rows: int) -> int:
    return -(-rows // ROWS_STEP) * ROWS_STEP
