"""What this processor can do, as far as the form of a quantized product depends on it."""

from __future__ import annotations

import platform
from collections.abc import Set
from functools import cache
from pathlib import Path

X86 = ("x86_64", "AMD64", "i386", "i686", "x86")
DOT_PRODUCTS = {"avx512_vnni", "avx_vnni"}
CPU_INFO = Path("/proc/cpuinfo")


@cache
def multiplies_bytes_exactly() -> bool:
    """Return whether products of signed and unsigned bytes are added up in 32 bits.

    ARM always does. x86 needs the instructions of VNNI: without them sums of two products are cut off at 16 bits. False
    if nothing tells.
    """
    return platform.machine() not in X86 or bool(DOT_PRODUCTS & _flags(CPU_INFO))


def _flags(path: Path) -> Set[str]:
    """Return the names of the processor's instruction sets, as Linux lists them."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return set(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))
