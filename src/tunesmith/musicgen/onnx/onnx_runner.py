"""The model's arithmetic on ONNX Runtime: one decoder graph for prefixes, prompts and steps.

Keys and values lie in preallocated buffers, (rows, heads, capacity, head) per layer, that the graph reads and extends
in place. Each row has its own length; a step runs the first n rows, advancing or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.kv_cache import KVCache
from tunesmith.musicgen.model_folder import CHROMA_PROJECTION, CROSS_ATTENTION, DECODER, EMBEDDINGS, TEXT_ENCODER
from tunesmith.musicgen.runner import Codes, Logits, States
from tunesmith.neural.huge_pages import huge_pages
from tunesmith.neural.sessions import ALL_CORES, LazySession, SessionOptions, as_value, open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


# The int8 kernels process rows in pairs; an odd row goes through another kernel with different rounding.
ROWS_STEP = 2


class OnnxRunner:
    """A Runner over the graphs of a model folder; see Runner for each method.

    ``keep_text_encoder`` keeps the text graphs in memory between texts: faster for many requests, but larger.
    """

    def __init__(
        self, folder: Path, architecture: Architecture, *, num_rows: int = 2,
        options: SessionOptions = ALL_CORES, keep_text_encoder: bool = False,
    ) -> None:  # fmt: skip
        self._architecture = architecture
        self._folder = folder
        self._num_rows = num_rows
        # Packing the weights allocates most of the memory, so the advice covers this call.
        with huge_pages():
            self._decoder = open_session(folder / DECODER, options)
        self._text_encoder = LazySession(folder / TEXT_ENCODER, options, keep=keep_text_encoder)
        self._cross_attention = LazySession(folder / CROSS_ATTENTION, options, keep=keep_text_encoder)
        # Mapped, so that only pages in use take memory; a plain view indexes faster than np.memmap.
        self._embeddings = np.load(folder / EMBEDDINGS, mmap_mode="r").view(np.ndarray)
        self._codebooks = np.arange(architecture.decoder.num_codebooks)
        self._memory = KVCache(architecture, _in_pairs(num_rows))
        self._steps: dict[int, _Step] = {}

    @property
    def architecture(self) -> Architecture:
        """The sizes and rules of the model."""
        return self._architecture

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self._num_rows

    def encode_text(self, token_ids: Sequence[int]) -> States:
        """Encode one text: (tokens, hidden)."""
        tokens = np.array([token_ids], np.int64)
        states: States = self._text_encoder.run({"token_ids": tokens})
        return states

    def encode_chroma(self, chroma: NDArray[np.float32]) -> States:
        """Project a chromagram (frames, bins): (frames, hidden)."""
        with np.load(self._folder / CHROMA_PROJECTION) as projection:
            states: States = chroma @ projection["weight"].T + projection["bias"]
        return states

    def open_row(self, row: int, states: States | None, capacity: int) -> None:
        """Clear the row and let it attend to the states."""
        cross = None if states is None else self._cross_attention.run({"states": states})
        if self._memory.open(row, cross, capacity):
            # The bound steps point to the old buffers.
            self._steps.clear()

    def extend_prefix(self, row: int, states: States) -> None:
        """Append positions given as states."""
        self._append(row, states)

    def extend(self, row: int, codes: Codes) -> Logits:
        """Append codes (codebooks, positions) to one row; return the logits (codebooks, size)."""
        return self._append(row, self._embed(codes.T))

    def step(self, codes: Codes, advancing: NDArray[np.bool_]) -> Logits:
        """Append one position (rows, codebooks) to the first rows; return the logits (rows, codebooks, size)."""
        count = len(codes)
        step = self._step_of(_in_pairs(count))
        step.states[:count, 0] = self._embed(codes) + self._memory.positions[self._memory.lengths[:count]]
        logits = step.run()
        # Rows that do not advance keep their length, so the next step overwrites what this one wrote.
        self._memory.lengths[:count] += advancing
        return logits[:count]

    def close_row(self, row: int) -> None:
        """Free the row."""
        if self._memory.close(row):
            self._steps.clear()

    def copy_row(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        self._memory.copy(source, target)

    def _step_of(self, rows: int) -> _Step:
        if rows not in self._steps:
            self._steps[rows] = _Step(self._decoder, self._memory, slice(0, rows), 1)
        return self._steps[rows]

    def _append(self, row: int, states: States) -> Logits:
        start, count = int(self._memory.lengths[row]), len(states)
        # Prefill chunks have many shapes, so their bindings are not cached.
        step = _Step(self._decoder, self._memory, slice(row, row + 1), count)
        step.states[0] = states + self._memory.positions[start : start + count]
        logits = step.run()
        self._memory.lengths[row] += count
        first: Logits = logits[0]
        return first

    def _embed(self, codes: Codes) -> States:
        """Sum the embeddings of all codebooks: (positions, codebooks) -> (positions, hidden)."""
        states: States = self._embeddings[self._codebooks, codes].sum(axis=-2)
        return states


def _in_pairs(rows: int) -> int:
    return -(-rows // ROWS_STEP) * ROWS_STEP


class _Step:
    """One shape of a decoder run, its rows and number of new positions; bound once, run many times."""

    def __init__(self, decoder: InferenceSession, memory: KVCache, rows: slice, positions: int) -> None:
        shape = memory.architecture.decoder
        count = rows.stop - rows.start
        self._decoder = decoder
        self._row_lengths = memory.lengths[rows]
        self._positions = positions
        self.states = np.zeros((count, positions, shape.hidden_size), np.float32)
        self._lengths = np.zeros(count, np.int32)
        self._longest = np.zeros(1, np.int32)
        self._logits = np.zeros((count, shape.num_codebooks, shape.codebook_size), np.float32)
        self._binding = decoder.io_binding()
        inputs = {"states": self.states, "lengths": self._lengths, "longest": self._longest}
        inputs |= memory.cross_inputs(rows, positions)
        for name, array in inputs.items():
            self._binding.bind_ortvalue_input(name, as_value(array))
        # Input and output share one buffer: the graph appends keys and values in place.
        for name, array in memory.caches(rows):
            value = as_value(array)
            self._binding.bind_ortvalue_input(name, value)
            self._binding.bind_ortvalue_output(f"new_{name}", value)
        self._binding.bind_ortvalue_output("logits", as_value(self._logits))

    def run(self) -> Logits:
        """Append ``states`` (rows, positions, hidden); the next run overwrites the returned logits."""
        # GroupQueryAttention counts the length after the new positions, minus one.
        self._lengths[:] = self._row_lengths + (self._positions - 1)
        self._longest[0] = self._lengths.max() + 1
        self._decoder.run_with_iobinding(self._binding)
        return self._logits
