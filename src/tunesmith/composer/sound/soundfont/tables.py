"""The RIFF container of a sound bank: where each chunk of the file lies, without reading the samples.

RIFF "sfbk" ─┬ LIST "INFO"  who made it
             ├ LIST "sdta"  smpl: the samples, 16-bit PCM (SF2) or one Vorbis stream each (SF3)
             └ LIST "pdta"  phdr pbag pmod pgen inst ibag imod igen shdr: see hydra.py
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunesmith.errors import SoundFontError


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
