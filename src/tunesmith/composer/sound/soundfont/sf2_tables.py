"""The nine tables of a sound bank (the SoundFont standard calls them the hydra) as NumPy records.

presets ─ bags ─┬ generators ─ (instrument) ─► instruments ─ bags ─┬ generators ─ (sample) ─► samples
                └ modulators                                        └ modulators
The bags of a header run from its own ``bag`` to the next header's, and so do the generators and modulators of a bag;
therefore every table ends with a terminal record.
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
"""The bit of a sample's ``kind`` that marks a Vorbis stream (SF3)."""


@dataclass(frozen=True, slots=True)
class Hydra:
    """The nine tables by their chunk names, and the place of the samples (``smpl``) in the file, in bytes."""

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
    """Return the tables of a bank.

    Raises SoundFontError with one line that names the file and the problem.
    """
    try:
        with path.open("rb") as file:
            chunks = find_chunks(file, path)
            tables: dict[str, Records] = {}
            # In file order, so that a damaged file is reported at its first damaged table.
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
    # An empty table lacks even its terminal record.
    if len(content) % dtype.itemsize or not content:
        raise SoundFontError(f"{where}: {len(content)} bytes is no whole number of records of {dtype.itemsize} bytes")
    return np.frombuffer(content, dtype)


def _check(hydra: Hydra, path: Path) -> None:
    """Raise SoundFontError for an index that points outside its table, so that nothing later can fail on it."""
    limits = [
        ("phdr", hydra.phdr["bag"], len(hydra.pbag)), ("inst", hydra.inst["bag"], len(hydra.ibag)),
        ("pbag", hydra.pbag["generator"], len(hydra.pgen) + 1), ("ibag", hydra.ibag["generator"], len(hydra.igen) + 1),
        ("pbag", hydra.pbag["modulator"], len(hydra.pmod) + 1), ("ibag", hydra.ibag["modulator"], len(hydra.imod) + 1),
        # 41 and 53 are the generators for the instrument and the sample.
        ("pgen", _targets(hydra.pgen, 41), len(hydra.inst) - 1),
        ("igen", _targets(hydra.igen, 53), len(hydra.shdr) - 1),
    ]  # fmt: skip
    for name, indices, count in limits:
        if indices.size and int(indices.max()) >= count:
            raise SoundFontError(f"{path}: chunk {name!r} points to record {int(indices.max())} of {count}")
    # Bags must ascend, because each one ends where the next begins.
    for name in ("phdr", "inst", "pbag", "ibag"):
        first = "bag" if name in ("phdr", "inst") else "generator"
        if np.any(np.diff(getattr(hydra, name)[first].astype(np.int64)) < 0):
            raise SoundFontError(f"{path}: chunk {name!r} is not in ascending order")


def _targets(generators: Records, operator: int) -> npt.NDArray[np.uint16]:
    # Amounts are signed, indices are not: the same 16 bits are read again without the sign.
    return np.asarray(generators["amount"][generators["operator"] == operator], np.int16).view(np.uint16)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The content of a chunk: ``size`` bytes at ``offset`` of the file."""

    offset: int
    size: int


def find_chunks(file: BinaryIO, path: Path) -> Mapping[str, Chunk]:
    """Return the chunks inside the three lists, by name; raise SoundFontError if the file is no sound bank."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise SoundFontError(f"{path}: not a SoundFont (the file does not start with RIFF … sfbk)")
    found: dict[str, Chunk] = {}
    for name, chunk in _walk(file, Chunk(12, size - 12), path):
        # Lists nest one level deep: INFO, sdta and pdta.
        if name == "LIST":
            found |= _walk(file, Chunk(chunk.offset + 4, chunk.size - 4), path)
    return found


def _walk(file: BinaryIO, inside: Chunk, path: Path) -> list[tuple[str, Chunk]]:
    found: list[tuple[str, Chunk]] = []
    offset, end = inside.offset, inside.offset + inside.size
    while offset + 8 <= end:
        file.seek(offset)
        identifier, size = struct.unpack("<4sI", file.read(8))
        # A size beyond the list means that the download or the copy was cut off.
        if offset + 8 + size > end:
            missing = offset + 8 + size - end
            raise SoundFontError(f"{path}: truncated: chunk {_name(identifier)!r} lacks {missing} of its {size} bytes")
        found.append((_name(identifier), Chunk(offset + 8, size)))
        offset = _after(file, offset + 8, size)
    return found


def _after(file: BinaryIO, offset: int, size: int) -> int:
    """Return the offset after a chunk: a zero byte follows odd sizes, but some SF3 writers omit it."""
    file.seek(offset + size)
    padded = size % 2 == 1 and file.read(1) == b"\0"
    return offset + size + padded


def _name(identifier: bytes) -> str:
    return identifier.decode("latin-1")
