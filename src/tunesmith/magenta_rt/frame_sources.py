"""FrameSources: the source vectors of a stream, computed when a frame is written, one row for each kind of guidance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.conditioning import NUM_PITCHES, NUM_STYLE_LEVELS, UNSAID, FrameControls, SourceTables

Array = NDArray[np.float32]
Numbers = NDArray[np.integer]
Masked = Literal["style", "notes"]

MASKED: Mapping[Masked, slice] = {
    "style": slice(0, NUM_STYLE_LEVELS), "notes": slice(NUM_STYLE_LEVELS, NUM_STYLE_LEVELS + NUM_PITCHES),
}  # fmt: skip
"""The numbers of a frame that a row of guidance leaves unsaid."""


class FrameSources:
    """The sources of a stream: called with the number of a frame, it returns (1 + masked, source width).

    ``numbers_of`` returns the numbers (144,) of a frame. The row of each part in ``masked`` lacks that part.
    """

    def __init__(
        self, tables: SourceTables, numbers_of: Callable[[int], Numbers], masked: Sequence[Masked] = ()
    ) -> None:  # fmt: skip
        self._tables = tables
        self._numbers_of = numbers_of
        self._masked = [MASKED[part] for part in masked]
        self._last: tuple[bytes, Array] | None = None

    def __call__(self, frame: int) -> Array:
        """Return the sources of a frame. Raises InvalidRequest for a number that the model does not have."""
        numbers = self._numbers_of(frame)
        # Most frames are conditioned like the one before.
        if self._last is None or self._last[0] != numbers.tobytes():
            rows = np.tile(np.asarray(numbers, np.int64), (1 + len(self._masked), 1))
            for row, part in enumerate(self._masked, start=1):
                rows[row, part] = UNSAID
            self._last = numbers.tobytes(), self._tables.source(rows)
        return self._last[1]


def steady(controls: FrameControls) -> Callable[[int], Numbers]:
    """Return the same numbers for every frame."""
    numbers = controls.numbers()
    return lambda _: numbers


def written(frames: Numbers) -> Callable[[int], Numbers]:
    """Return the numbers of written frames (frames, 144), and those of the last one after the end."""
    return lambda frame: frames[min(frame, len(frames) - 1)]
