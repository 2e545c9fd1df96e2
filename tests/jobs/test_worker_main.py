"""The process of a runner: freed memory goes back to the system, and streams are reported as they grow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.errors import DiskFull, GenerationCancelled
from tunesmith.finished_stream import FinishedStream
from tunesmith.jobs.runners.protocol import Streamed, Streaming, encode, read_from_child
from tunesmith.jobs.runners.worker_main import (
    GROWTH_BYTES,
    MemoryTrim,
    resident_bytes,
    write_growing,
)
from tunesmith.neural.malloc_trim import trim_function


class Process:
    """A process whose memory grows with each task, and shrinks to what it needs when it is trimmed."""

    def __init__(self) -> None:
        self.resident, self.needed, self.trims = 100_000_000, 100_000_000, 0

    def trim(self) -> None:
        self.resident = self.needed
        self.trims += 1


def test_memory_is_trimmed_each_time_it_has_grown_enough() -> None:
    process = Process()
    memory = MemoryTrim(process.trim, lambda: process.resident)
    largest = 0
    for _ in range(100):
        process.resident += GROWTH_BYTES // 4
        process.needed = min(process.needed + 5_000_000, 300_000_000)
        memory.after_task()
        largest = max(largest, process.resident)
    assert largest <= 300_000_000 + GROWTH_BYTES
    assert 15 <= process.trims <= 25


def test_where_there_is_nothing_to_trim_with_nothing_is_done() -> None:
    MemoryTrim(None).after_task()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_what_was_freed_goes_back_to_the_system() -> None:
    trim = trim_function()
    if trim is None:
        pytest.skip("another allocator")
    kept, freed = [], []
    for _ in range(2_000):  # below what is given back by itself
        freed.append(np.ones(8_000))
        kept.append(np.ones(8))
    before = resident_bytes()
    del freed
    trim()
    assert resident_bytes() < before - 50_000_000


class Told:
    """A task that keeps what it sends, and is cancelled after ``most`` messages."""

    def __init__(self, most: int = 1_000) -> None:
        self.task, self.messages, self.most = "job 1", list[dict[str, Any]](), most

    def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def is_cancelled(self) -> bool:
        return len(self.messages) >= self.most


def test_a_stream_is_reported_as_it_grows(tmp_path: Path) -> None:
    told, sound = Told(), np.zeros((2, 50_000), np.float32)
    path = tmp_path / "a.stream.wav"
    write_growing(FinishedStream(Audio(sound, 44_100, {"seed": 7})), path, told)  # type: ignore[arg-type]
    size = 44 + sound.size * 2
    assert told.messages[0] == {"streaming": "job 1", "metadata": {"seed": 7}, "size": size}
    assert told.messages[-1] == {"streamed": "job 1", "bytes": size}
    assert path.stat().st_size == size
    read = [read_from_child(encode(message)) for message in told.messages]
    assert isinstance(read[0], Streaming)
    assert all(isinstance(one, Streamed) for one in read[1:])


@pytest.mark.skipif(sys.platform != "linux", reason="its device of a full disk")
def test_a_stream_that_the_disk_has_no_room_for_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.stream.wav"
    path.symlink_to("/dev/full")
    stream = FinishedStream(Audio(np.zeros((2, 50_000), np.float32), 44_100))
    with pytest.raises(DiskFull, match=r"^the disk is full: the audio could not be stored$"):
        write_growing(stream, path, Told())  # type: ignore[arg-type]


def test_a_cancelled_stream_ends_before_its_end(tmp_path: Path) -> None:
    stream = FinishedStream(Audio(np.zeros((2, 500_000), np.float32), 44_100))
    with pytest.raises(GenerationCancelled):
        write_growing(stream, tmp_path / "a.stream.wav", Told(most=2))  # type: ignore[arg-type]
