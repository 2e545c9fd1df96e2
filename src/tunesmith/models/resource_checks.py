"""Resources: is there enough disk to install a model, and enough memory to load it? Found out before the work."""

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
"""Free space of the disk that a folder is on."""

CONVERTED_SHARE: Mapping[str, float] = {"int8": 0.45, "int8-32": 0.5, "int4": 0.4, "float16": 0.5, "none": 1.1}
"""Size of a converted model as a share of its weights in fp32; the codec stays in fp32, so small models have more."""

PROCESS_BYTES = 150_000_000
"""What Python, NumPy and ONNX Runtime take before any weights."""

_FLOAT_BYTES = 4
_CGROUP = Path("/sys/fs/cgroup")


def free_disk(folder: Path) -> int:
    """Return the free bytes of the disk that the folder is, or will be, on."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def check_disk(what: str, folder: Path, download: int, converted: int, free_bytes: FreeBytes) -> None:
    """Raise OutOfResources, with the numbers, unless the download and the converted model fit on the disk."""
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
    """Turn the system's "no space left" into OutOfResources."""
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise OutOfResources(f"the disk became full while installing {what} in {folder}: {error.strerror}") from None


def memory_needed(manifest: Manifest, architecture: Architecture, rows: int = GUIDED_ROWS) -> int:
    """Estimate from below the bytes a model takes while it makes one window of music, guided unless in more rows.

    The largest graph, the keys and values of the rows, and the process; smaller graphs are open only while they run.
    """
    return _largest(manifest) + rows * row_memory(architecture) + PROCESS_BYTES


def row_memory(architecture: Architecture) -> int:
    """Return the bytes that the keys and values of one row take for a whole window."""
    decoder = architecture.decoder
    prefix = architecture.chroma.num_frames if architecture.chroma else 0
    positions = architecture.window_frames + prefix
    return 2 * decoder.num_layers * decoder.hidden_size * positions * _FLOAT_BYTES


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """How a model is opened for many callers: rows of the batch, and whether its small graphs stay in memory."""

    num_rows: int
    keep_text_encoder: bool


def plan_batch(manifest: Manifest, architecture: Architecture, wanted_rows: int, available: int) -> BatchPlan:
    """Plan for ``wanted_rows``, or as many as half of the memory holds that the model itself leaves; at least 2.

    The other half is for other models, and for the music itself.
    """
    spare = max(0, available - memory_needed(manifest, architecture)) // 2
    small_graphs = manifest.bytes - _largest(manifest)
    keep = small_graphs <= spare
    more = (spare - small_graphs * keep) // row_memory(architecture)
    rows = min(wanted_rows, GUIDED_ROWS + more)
    return BatchPlan(max(GUIDED_ROWS, rows - rows % GUIDED_ROWS), keep)


def available_memory() -> int:
    """Return the bytes this process may still take: of the machine's, or of its container's where that is less."""
    import psutil

    machine: int = psutil.virtual_memory().available
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    if limit is None or used is None:
        return machine
    return min(machine, max(0, limit - used + _cgroup_reclaimable()))


def total_memory() -> int:
    """Return the bytes of memory there are, of the machine or of its container where that has less."""
    import psutil

    machine: int = psutil.virtual_memory().total
    limit = _cgroup_number("memory.max")
    return machine if limit is None else min(machine, limit)


def check_memory(manifest: Manifest, architecture: Architecture, available: int) -> None:
    """Raise OutOfResources, with the numbers, where the model cannot fit."""
    needed = memory_needed(manifest, architecture)
    if needed > available:
        raise OutOfResources(shortage(manifest.name, needed, available))


def shortage(model: str, needed: int, available: int) -> str:
    """Say in numbers that a model does not fit into memory."""
    there_is = in_words(max(0, available))
    return f"not enough memory for {model}: it needs about {in_words(needed)}, and {there_is} is available"


def decoder_parameters(architecture: Architecture) -> int:
    """Count the decoder's parameters: what a model's size is known by."""
    decoder, text = architecture.decoder, architecture.text_encoder
    hidden = decoder.hidden_size
    attentions = 1 if architecture.chroma else 2
    layer = attentions * (4 * hidden**2 + 2 * hidden) + 2 * hidden * decoder.ffn_size + 2 * hidden
    ends = decoder.num_codebooks * hidden * (2 * decoder.codebook_size + 1) + 2 * hidden
    projections = (text.hidden_size + 1) * hidden
    if architecture.chroma:
        projections += (architecture.chroma.num_chroma + 1) * hidden
    return decoder.num_layers * layer + ends + projections


def in_words(count: int) -> str:
    """Return a number of bytes for people: 2.36 GB, 14 MB, 3 kB (decimal, as disks are sold)."""
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
    """Return what the container's use holds of files, which the system gives back when asked for memory."""
    try:
        lines = (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    values = dict(line.split() for line in lines if line.count(" ") == 1)
    return int(values.get("inactive_file", 0))
