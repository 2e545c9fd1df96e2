from __future__ import annotations

import mmap
import re
import sys
from pathlib import Path

import pytest

from tunesmith.neural.huge_pages import LEAST_BYTES, huge_pages


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked for huge pages")
def test_large_memory_that_came_inside_is_marked_and_keeps_what_it_holds() -> None:
    with huge_pages():
        memory = mmap.mmap(-1, 16 * LEAST_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory[:] = b"x" * len(memory)
    assert set(memory[::4096]) == {ord("x")}
    rollup = Path("/proc/self/smaps").read_text(encoding="utf-8")
    sizes = [
        int(size) for size, flags in re.findall(r"Size: +(\d+) kB\n(?:.*\n)*?VmFlags: (.*)\n", rollup) if "hg" in flags
    ]
    assert sum(sizes) * 1024 >= len(memory) - 2 * LEAST_BYTES


def test_nothing_new_asks_for_nothing() -> None:
    with huge_pages():
        pass
