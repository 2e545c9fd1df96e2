"""Freed memory goes back to the system, but not after every task."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tunesmith.jobs.runners.worker_main import GROWTH_BYTES, MemoryTrim, resident_bytes, trim_function


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
