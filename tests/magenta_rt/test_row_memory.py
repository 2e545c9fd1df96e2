from __future__ import annotations

import numpy as np
import pytest

from tunesmith.magenta_rt.row_memory import RowMemory

WINDOW = 4
SINKS = np.arange(2 * 2 * 3 * 5, dtype=np.float32).reshape(2, 2, 3, 5) + 0.5


def write(memory: RowMemory, row: int, frame: int) -> None:
    """Append a frame as the graph does, and keep it."""
    for _, keys, values in memory.buffers(memory.num_rows):
        keys[row, :, memory.lengths[row]] = 100 + frame
        values[row, :, memory.lengths[row]] = -100 - frame
    memory.keep_frame(row)


def frames_of(memory: RowMemory, row: int) -> list[int]:
    """Return the past frames that a row sees, in any order, and check its sink."""
    seen = []
    for number, keys, values in memory.buffers(memory.num_rows):
        assert np.array_equal(keys[row, :, 0], SINKS[number, 0])
        assert np.array_equal(values[row, :, 0], SINKS[number, 1])
        past = keys[row, 0, 1 : memory.lengths[row], 0]
        assert np.array_equal(past, -values[row, 2, 1 : memory.lengths[row], 4])
        seen.append(sorted(int(one) - 100 for one in past))
    assert seen[0] == seen[1]
    return seen[0]


@pytest.mark.parametrize("frames", [0, 1, 4, 5, 9, 30])
def test_a_row_sees_the_sink_and_the_last_frames_of_the_window(frames: int) -> None:
    memory = RowMemory(SINKS, 2, WINDOW)
    memory.open(1)
    for frame in range(frames):
        write(memory, 1, frame)
    assert frames_of(memory, 1) == list(range(max(0, frames - WINDOW), frames))


def test_rows_are_copied_cleared_and_kept_when_there_is_more_room() -> None:
    memory = RowMemory(SINKS, 2, WINDOW)
    memory.open(0)
    for frame in range(7):
        write(memory, 0, frame)
    memory.copy(0, 1)
    memory.open(0)
    memory.grow(4)
    memory.open(3)
    write(memory, 1, 7)
    assert (frames_of(memory, 0), frames_of(memory, 1), frames_of(memory, 3)) == ([], [4, 5, 6, 7], [])
