"""Resource checks: enough disk to install a model, and enough memory to load it; checked before the work starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from tunesmith.errors import OutOfResources

FreeBytes = Callable[[Path], int]
"""A function that returns the free bytes of the disk that holds a folder."""

PROCESS_BYTES = 150_000_000
"""The bytes that Python, NumPy and ONNX Runtime take before any weights."""

_CGROUP = Path("/sys/fs/cgroup")


def free_disk(folder: Path) -> int:
    """Return the free bytes of the disk that holds the folder, which need not exist yet."""
    # The folder may not exist before the first pull.
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def check_disk(what: str, folder: Path, download: int, converted: int, free_bytes: FreeBytes) -> None:
    """Raise OutOfResources, with the sizes, unless the download and the converted model fit on the disk.

    ``download`` and ``converted`` are in bytes.
    """
    free = free_bytes(folder)
    if download + converted <= free:
        return
    needed = f"{in_words(converted)} once converted"
    if download:
        both = f"{in_words(download)} to download and {in_words(converted)} converted"
        needed = f"{in_words(download + converted)} ({both})"
    raise OutOfResources(f"not enough disk for {what}: it needs {needed}, and {in_words(free)} is free in {folder}")


@contextmanager
def translate_disk_full(what: str, folder: Path) -> Iterator[None]:
    """Translate a full disk or an exceeded disk quota into OutOfResources."""
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise OutOfResources(f"the disk became full while installing {what} in {folder}: {error.strerror}") from None


def available_memory() -> int:
    """Return the bytes that this process may still allocate: the machine's, or its container's if less."""
    import psutil

    machine: int = psutil.virtual_memory().available
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    # No container, or one without a limit.
    if limit is None or used is None:
        return machine
    # The kernel counts the page cache as used.
    return min(machine, max(0, limit - used + _cgroup_reclaimable()))


def total_memory() -> int:
    """Return the bytes of memory in all: the machine's, or its container's if less."""
    import psutil

    machine: int = psutil.virtual_memory().total
    limit = _cgroup_number("memory.max")
    return machine if limit is None else min(machine, limit)


def check_memory(model: str, needed: int, available: int) -> None:
    """Raise OutOfResources, with the sizes, if the bytes that a model needs are not ``available``."""
    if needed > available:
        raise OutOfResources(shortage(model, needed, available))


def shortage(model: str, needed: int, available: int) -> str:
    """Return the message that a model does not fit into memory, with the sizes; arguments in bytes."""
    there_is = in_words(max(0, available))
    return f"not enough memory for {model}: it needs about {in_words(needed)}, and {there_is} is available"


def in_words(count: int) -> str:
    """Return a size in bytes as text: 2.36 GB, 14 MB, 3 kB (decimal prefixes)."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _cgroup_number(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _cgroup_reclaimable() -> int:
    """Return the bytes of page cache that the kernel reclaims when memory is short."""
    try:
        lines = (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    values = dict(line.split() for line in lines if line.count(" ") == 1)
    return int(values.get("inactive_file", 0))
