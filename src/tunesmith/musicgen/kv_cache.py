"""The KV cache: keys and values of the batch rows, their lengths, and the encoded text each row attends to.

    caches        (2 x layers, rows, heads, capacity, head): key_0, value_0, key_1, …
    cross caches  (2 x layers, rows, heads, tokens, head), tokens the longest text so far, shorter ones padded
    cross bias    (rows, 1, 1, tokens): 0 for text, HIDDEN for padding

A row that attends to no text has zeros everywhere: the mean of zero values is zero. Each cache is one block for all
layers, because NumPy requests huge pages only for large blocks, and each step reads the whole block.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.position_encoding import sinusoidal_positions

# Finite: a softmax over nothing but -inf is NaN.
HIDDEN = np.float32(-1e9)
# Buffers grow in steps, because every growth undoes the bindings to them.
CAPACITY_STEP = 128
TOKENS_STEP = 16

Array = NDArray[np.float32]


class KVCache:
    """The KV cache of all rows. The buffers grow when a row needs more; growth invalidates every binding to them."""

    def __init__(self, architecture: Architecture, num_rows: int) -> None:
        self.architecture = architecture
        self.num_rows = num_rows
        self.lengths = np.zeros(num_rows, np.int64)
        self.positions = np.zeros((0, architecture.decoder.hidden_size), np.float32)
        self._has_cross = architecture.chroma is None
        self._open: set[int] = set()
        self._empty()

    def open(self, row: int, cross: Array | None, capacity: int) -> bool:
        """Clear the row and set the text it attends to, (2 x layers, heads, tokens, head); return whether buffers
        moved.

        ``capacity`` is the largest number of positions the row will hold.
        """
        self._open.add(row)
        self.lengths[row] = 0
        tokens = 1 if cross is None else cross.shape[2]
        moved = self._grow_caches(capacity)
        if self._has_cross:
            moved = self._grow_cross(tokens) or moved
            self._attend(row, cross)
        return moved

    def close(self, row: int) -> bool:
        """Free the row; return whether the buffers were freed, which happens with the last row."""
        self._open.discard(row)
        self.lengths[row] = 0
        # Memory goes back to the system only if the whole block is freed.
        if not self._open:
            self._empty()
        return not self._open

    def copy(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        self._open.add(target)
        length = int(self.lengths[source])
        self.lengths[target] = length
        # Only the filled positions matter; copying all of the capacity would cost far more.
        self._caches[:, target, :, :length] = self._caches[:, source, :, :length]
        self._cross[:, target] = self._cross[:, source]
        self._bias[target] = self._bias[source]

    def caches(self, rows: slice) -> Iterator[tuple[str, Array]]:
        """Yield the name and the buffer of each layer's keys and values, for these rows."""
        for index, cache in enumerate(self._caches):
            yield f"{'value' if index % 2 else 'key'}_{index // 2}", cache[rows]

    def cross_inputs(self, rows: slice, positions: int) -> dict[str, Array]:
        """Return the inputs of cross-attention by name; an empty dict if the model has none."""
        if not self._has_cross:
            return {}
        bias = self._bias[rows]
        if positions > 1:
            # MultiHeadAttention takes a bias row per query position, and a bound array must be contiguous.
            bias = np.ascontiguousarray(np.broadcast_to(bias, (len(bias), 1, positions, bias.shape[-1])))
        names = (f"cross_{'value' if index % 2 else 'key'}_{index // 2}" for index in range(len(self._cross)))
        return {"cross_bias": bias, **{name: cross[rows] for name, cross in zip(names, self._cross, strict=True)}}

    def _empty(self) -> None:
        self._caches = self._block(0)
        self._cross = self._block(0)
        self._bias = np.zeros((self.num_rows, 1, 1, 0), np.float32)

    def _attend(self, row: int, cross: Array | None) -> None:
        tokens = 0 if cross is None else cross.shape[2]
        self._bias[row] = 0 if cross is None else HIDDEN
        self._bias[row, ..., :tokens] = 0
        self._cross[:, row] = 0
        if cross is not None:
            self._cross[:, row, :, :tokens] = cross

    def _grow_caches(self, capacity: int) -> bool:
        """Allocate one position more than requested: rows that do not advance write it and never read it."""
        # ``capacity`` must be strictly smaller, because of the spare position.
        have = self._caches.shape[3]
        if capacity < have:
            return False
        wanted = _rounded(capacity + 1, CAPACITY_STEP)
        self._caches = self._grown(self._caches, wanted)
        self.positions = sinusoidal_positions(wanted, self.architecture.decoder.hidden_size)
        return True

    def _grow_cross(self, tokens: int) -> bool:
        have = self._cross.shape[3]
        if tokens <= have:
            return False
        wanted = _rounded(tokens, TOKENS_STEP)
        self._cross = self._grown(self._cross, wanted)
        # A row without text (all zeros) may attend to the new padding: its values are zero as well.
        padding = np.full((self.num_rows, 1, 1, wanted - have), HIDDEN, np.float32)
        self._bias = np.concatenate([self._bias, padding], axis=-1)
        return True

    def _grown(self, old: Array, length: int) -> Array:
        """Copy the open rows only: an unused row takes no physical memory until it is written to."""
        new = self._block(length)
        for row in self._open:
            new[:, row, :, : old.shape[3]] = old[:, row]
        return new

    def _block(self, length: int) -> Array:
        shape = self.architecture.decoder
        size = (2 * shape.num_layers, self.num_rows, shape.num_heads, length, shape.head_size)
        return np.zeros(size, np.float32)


def _rounded(count: int, step: int) -> int:
    return -(-count // step) * step
