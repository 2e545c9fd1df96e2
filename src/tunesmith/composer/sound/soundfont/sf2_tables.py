"""The nine tables of a sound bank (the SoundFont standard calls them the hydra), as numpy records.

presets ─ bags ─┬ generators ─ (instrument) ─► instruments ─ bags ─┬ generators ─ (sample) ─► samples
                └ modulators                                        └ modulators
A header's bags run from its own ``bag`` to the next header's; a bag's generators and modulators likewise, so every
table ends in one terminal record.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from tunesmith.errors import SoundFontError

Records = npt.NDArray[np.void]

_BAG = [("generator", "<u2"), ("modulator", "<u2")]
_GENERATOR = [("operator", "<u2"), ("amount", "<i2")]
_MODULATOR = [("source", "<u2"), ("operator", "<u2"), ("amount", "<i2"), ("amount_source", "<u2"), ("transform", "<u2")]
_PRESET = [
    ("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"),
    ("library", "<u4"), ("genre", "<u4"), ("morphology", "<u4"),
]  # fmt: skip
_SAMPLE = [
    ("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4"),
    ("rate", "<u4"), ("key", "u1"), ("correction", "i1"), ("link", "<u2"), ("kind", "<u2"),
]  # fmt: skip

LAYOUTS: dict[str, Any] = {
    "phdr": _PRESET, "pbag": _BAG, "pmod": _MODULATOR, "pgen": _GENERATOR,
    "inst": [("name", "S20"), ("bag", "<u2")], "ibag": _BAG, "imod": _MODULATOR, "igen": _GENERATOR,
    "shdr": _SAMPLE,
}  # fmt: skip
"""The record layout of each table, in file order."""

COMPRESSED = 0x10
"""The bit of a sample's ``kind`` that says it is a Vorbis stream (SF3)."""


@dataclass(frozen=True, slots=True)
class Hydra:
    """The nine tables by their chunk names, and where in the file the samples (``smpl``) start and how many bytes."""

    phdr: Records
    pbag: Records
    pmod: Records
    pgen: Records
    inst: Records
    ibag: Records
    imod: Records
    igen: Records
    shdr: Records
    samples_offset: int
    samples_size: int


def read_hydra(path: Path) -> Hydra:
    """Read the tables of a bank; raises SoundFontError in one line naming the file and what is wrong."""
    try:
        with path.open("rb") as file:
            chunks = find_chunks(file, path)
            tables: dict[str, Records] = {}
            for name, layout in LAYOUTS.items():
                if name not in chunks:
                    raise SoundFontError(f"{path}: chunk {name!r} is missing")
                file.seek(chunks[name].offset)
                tables[name] = _records(file.read(chunks[name].size), layout, f"{path}: chunk {name!r}")
    except OSError as error:
        raise SoundFontError(f"{path}: cannot be read: {error.strerror or error}") from error
    if "smpl" not in chunks:
        raise SoundFontError(f"{path}: chunk 'smpl' is missing")
    hydra = Hydra(**tables, samples_offset=chunks["smpl"].offset, samples_size=chunks["smpl"].size)
    _check(hydra, path)
    return hydra


def _records(content: bytes, layout: Any, where: str) -> Records:
    dtype = np.dtype(layout)
    if len(content) % dtype.itemsize or not content:
        raise SoundFontError(f"{where}: {len(content)} bytes is no whole number of records of {dtype.itemsize} bytes")
    return np.frombuffer(content, dtype)


def _check(hydra: Hydra, path: Path) -> None:
    """Every index must point inside the table it points to, so that nothing later can fail on it."""
    limits = [
        ("phdr", hydra.phdr["bag"], len(hydra.pbag)), ("inst", hydra.inst["bag"], len(hydra.ibag)),
        ("pbag", hydra.pbag["generator"], len(hydra.pgen) + 1), ("ibag", hydra.ibag["generator"], len(hydra.igen) + 1),
        ("pbag", hydra.pbag["modulator"], len(hydra.pmod) + 1), ("ibag", hydra.ibag["modulator"], len(hydra.imod) + 1),
        ("pgen", _targets(hydra.pgen, 41), len(hydra.inst) - 1),
        ("igen", _targets(hydra.igen, 53), len(hydra.shdr) - 1),
    ]  # fmt: skip
    for name, indices, count in limits:
        if indices.size and int(indices.max()) >= count:
            raise SoundFontError(f"{path}: chunk {name!r} points to record {int(indices.max())} of {count}")
    for name in ("phdr", "inst", "pbag", "ibag"):
        first = "bag" if name in ("phdr", "inst") else "generator"
        if np.any(np.diff(getattr(hydra, name)[first].astype(np.int64)) < 0):
            raise SoundFontError(f"{path}: chunk {name!r} is not in ascending order")


def _targets(generators: Records, operator: int) -> npt.NDArray[np.uint16]:
    return np.asarray(generators["amount"][generators["operator"] == operator], np.int16).view(np.uint16)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk's content: ``size`` bytes at ``offset`` of the file."""

    offset: int
    size: int


def find_chunks(file: BinaryIO, path: Path) -> Mapping[str, Chunk]:
    """Return the chunks inside the three lists, by name; raises SoundFontError if this is no sound bank."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise SoundFontError(f"{path}: not a SoundFont (the file does not start with RIFF … sfbk)")
    found: dict[str, Chunk] = {}
    for name, chunk in _walk(file, Chunk(12, size - 12), path):
        if name == "LIST":
            found |= _walk(file, Chunk(chunk.offset + 4, chunk.size - 4), path)
    return found


def _walk(file: BinaryIO, inside: Chunk, path: Path) -> list[tuple[str, Chunk]]:
    found: list[tuple[str, Chunk]] = []
    offset, end = inside.offset, inside.offset + inside.size
    while offset + 8 <= end:
        file.seek(offset)
        identifier, size = struct.unpack("<4sI", file.read(8))
        if offset + 8 + size > end:
            missing = offset + 8 + size - end
            raise SoundFontError(f"{path}: truncated: chunk {_name(identifier)!r} lacks {missing} of its {size} bytes")
        found.append((_name(identifier), Chunk(offset + 8, size)))
        offset = _after(file, offset + 8, size)
    return found


def _after(file: BinaryIO, offset: int, size: int) -> int:
    """Odd chunks are followed by a zero byte, but some SF3 writers forget it."""
    file.seek(offset + size)
    padded = size % 2 == 1 and file.read(1) == b"\0"
    return offset + size + padded


def _name(identifier: bytes) -> str:
    return identifier.decode("latin-1")
