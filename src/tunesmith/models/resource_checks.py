"""Resource checks: enough disk to install a model, and enough memory to load it; checked before the work starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path

from tunesmith.errors import OutOfResources
from tunesmith.models.manifest import Manifest
from tunesmith.musicgen.architecture import GUIDED_ROWS, Architecture

FreeBytes = Callable[[Path], int]
"""A function that returns the free bytes of the disk that holds a folder."""

CONVERTED_SHARE: Mapping[str, float] = {"int8": 0.45, "int8-32": 0.5, "int4": 0.4, "float16": 0.5, "none": 1.1}
"""The size of a converted model relative to its weights in fp32; the codec stays fp32, so small models have larger
shares."""

PROCESS_BYTES = 150_000_000
"""The bytes that Python, NumPy and ONNX Runtime take before any weights."""

_FLOAT_BYTES = 4
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


def memory_needed(manifest: Manifest, architecture: Architecture, rows: int = GUIDED_ROWS) -> int:
    """Return a lower bound of the bytes that a model takes to generate one window in ``rows`` rows.

    It sums the largest graph, the KV cache of the rows, and the process; smaller graphs are open only while they run.
    """
    return _largest(manifest) + rows * row_memory(architecture) + PROCESS_BYTES


def row_memory(architecture: Architecture) -> int:
    """Return the bytes of the KV cache of one row for a whole window."""
    decoder = architecture.decoder
    prefix = architecture.chroma.num_frames if architecture.chroma else 0
    positions = architecture.window_frames + prefix
    # Keys and values.
    return 2 * decoder.num_layers * decoder.hidden_size * positions * _FLOAT_BYTES


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The plan for opening a model for many callers: batch rows, and whether the small graphs stay in memory."""

    num_rows: int
    keep_text_encoder: bool


def plan_batch(manifest: Manifest, architecture: Architecture, wanted_rows: int, available: int) -> BatchPlan:
    """Plan a batch of up to ``wanted_rows`` rows, at least 2, in half of the memory that the model leaves.

    ``available`` is in bytes; the other half is for other models and for the audio.
    """
    spare = max(0, available - memory_needed(manifest, architecture)) // 2
    small_graphs = manifest.bytes - _largest(manifest)
    keep = small_graphs <= spare
    more = (spare - small_graphs * keep) // row_memory(architecture)
    rows = min(wanted_rows, GUIDED_ROWS + more)
    # Guided sequences take rows in pairs, so the number must be even.
    return BatchPlan(max(GUIDED_ROWS, rows - rows % GUIDED_ROWS), keep)


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


def check_memory(manifest: Manifest, architecture: Architecture, available: int) -> None:
    """Raise OutOfResources, with the sizes, if the model does not fit into ``available`` bytes."""
    needed = memory_needed(manifest, architecture)
    if needed > available:
        raise OutOfResources(shortage(manifest.name, needed, available))


def shortage(model: str, needed: int, available: int) -> str:
    """Return the message that a model does not fit into memory, with the sizes; arguments in bytes."""
    there_is = in_words(max(0, available))
    return f"not enough memory for {model}: it needs about {in_words(needed)}, and {there_is} is available"


def decoder_parameters(architecture: Architecture) -> int:
    """Return the number of parameters of the decoder, by which model sizes are known."""
    decoder, text = architecture.decoder, architecture.text_encoder
    hidden = decoder.hidden_size
    # A melody model has no cross-attention: its condition is a prefix of the sequence.
    attentions = 1 if architecture.chroma else 2
    layer = attentions * (4 * hidden**2 + 2 * hidden) + 2 * hidden * decoder.ffn_size + 2 * hidden
    ends = decoder.num_codebooks * hidden * (2 * decoder.codebook_size + 1) + 2 * hidden
    projections = (text.hidden_size + 1) * hidden
    if architecture.chroma:
        projections += (architecture.chroma.num_chroma + 1) * hidden
    return decoder.num_layers * layer + ends + projections


def in_words(count: int) -> str:
    """Return a size in bytes as text: 2.36 GB, 14 MB, 3 kB (decimal prefixes)."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _largest(manifest: Manifest) -> int:
    return max((file.bytes for file in manifest.files), default=0)


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
