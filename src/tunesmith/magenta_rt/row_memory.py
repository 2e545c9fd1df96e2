"""The memory of the batch rows: a ring of past frames, which is as large after an hour as after a second.

    memory (attentions, 2, rows, heads, capacity, head): keys and values

position  0      1 …………………… window   window + 1
          sink   ring of past frames   present frame

The graph appends the present frame behind the positions that a row has. Once the ring is full, that is always the last
position, and the frame then takes the place of the oldest: attention knows no order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class RowMemory:
    """The memory of rows that see ``window`` past frames, and ``sinks`` (attentions, 2, heads, head).

    It has room for ``num_rows`` rows, more once a later one is opened; the buffers move then.
    """

    def __init__(self, sinks: Array, num_rows: int, window: int) -> None:
        self._sinks = sinks
        self._window = window
        self._frames = np.zeros(num_rows, np.int64)
        self._block = self._block_of(num_rows)
        self.lengths = np.ones(num_rows, np.int32)
        """The positions of each row before the present frame, which the graph counts from 0."""

    @property
    def num_rows(self) -> int:
        """The rows that there is room for."""
        return len(self.lengths)

    def grow(self, num_rows: int) -> None:
        """Make room for more rows; every view of the buffers is void then."""
        old, kept = self._block, self.num_rows
        self._block = self._block_of(num_rows)
        self._block[:, :, :kept] = old
        self._frames = np.concatenate([self._frames, np.zeros(num_rows - kept, np.int64)])
        self.lengths = np.concatenate([self.lengths, np.ones(num_rows - kept, np.int32)])

    def open(self, row: int) -> None:
        """Clear a row: it sees the sink alone."""
        self._block[:, :, row] = 0
        self._block[:, :, row, :, 0] = self._sinks
        self._frames[row], self.lengths[row] = 0, 1

    def copy(self, source: int, target: int) -> None:
        """Copy a row."""
        self._block[:, :, target] = self._block[:, :, source]
        self._frames[target], self.lengths[target] = self._frames[source], self.lengths[source]

    def keep_frame(self, row: int) -> None:
        """Keep the present frame of a row as the latest past one, in place of the oldest where the ring is full."""
        if self.lengths[row] <= self._window:
            self.lengths[row] += 1
        else:
            # Without positions in the model, the order of a ring does not matter; slot 0 is the sink.
            oldest = 1 + self._frames[row] % self._window
            self._block[:, :, row, :, oldest] = self._block[:, :, row, :, -1]
        self._frames[row] += 1

    def buffers(self, rows: int) -> Iterator[tuple[int, Array, Array]]:
        """Yield the number, the keys and the values of each attention for the first rows, as views."""
        for number, (keys, values) in enumerate(self._block):
            yield number, keys[:rows], values[:rows]

    def _block_of(self, num_rows: int) -> Array:
        attentions, _, num_heads, head_size = self._sinks.shape
        # One block: NumPy requests huge pages only for large ones.
        # Slots of a row: the sink, the past frames, and the present one.
        return np.zeros((attentions, 2, num_rows, num_heads, self._window + 2, head_size), np.float32)
