"""Resources: is there enough disk to install a model, and enough memory to load it? Found out before the work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path

from tunesmith.errors import OutOfResources
from tunesmith.models.manifest import Manifest
from tunesmith.musicgen.architecture import Architecture

FreeBytes = Callable[[Path], int]
"""Free space of the disk that a folder is on."""

CONVERTED_SHARE: Mapping[str, float] = {"int8": 0.45, "int8-32": 0.5, "int4": 0.4, "float16": 0.5, "none": 1.1}
"""Size of a converted model as a share of its weights in fp32; the codec stays in fp32, so small models have more."""

PROCESS_BYTES = 150_000_000
"""What Python, NumPy and ONNX Runtime take before any weights."""

GUIDED_ROWS = 2
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
def disk_full_said_clearly(what: str, folder: Path) -> Iterator[None]:
    """Turn the system's "no space left" into OutOfResources."""
    try:
        yield
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        raise OutOfResources(f"the disk became full while installing {what} in {folder}: {error.strerror}") from None


def memory_needed(manifest: Manifest, architecture: Architecture) -> int:
    """Estimate from below the bytes a model takes while it makes one window of guided music.

    The largest graph, the keys and values of two rows, and the process; smaller graphs are open only while they run.
    """
    decoder = architecture.decoder
    prefix = architecture.chroma.num_frames if architecture.chroma else 0
    positions = architecture.window_frames + prefix
    a_row = 2 * decoder.num_layers * decoder.hidden_size * positions * _FLOAT_BYTES
    largest = max((file.bytes for file in manifest.files), default=0)
    return largest + GUIDED_ROWS * a_row + PROCESS_BYTES


def available_memory() -> int:
    """Return the bytes this process may still take: of the machine's, or of its container's where that is less."""
    import psutil

    machine: int = psutil.virtual_memory().available
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    if limit is None or used is None:
        return machine
    return min(machine, max(0, limit - used + _cgroup_reclaimable()))


def check_memory(manifest: Manifest, architecture: Architecture, available: int) -> None:
    """Raise OutOfResources, with the numbers, where the model cannot fit."""
    needed = memory_needed(manifest, architecture)
    if needed > available:
        raise OutOfResources(
            f"not enough memory for {manifest.name}: it needs about {in_words(needed)}, "
            f"and {in_words(available)} is available"
        )


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
