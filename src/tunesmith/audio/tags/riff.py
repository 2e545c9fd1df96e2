"""Chunks of WAV and AIFF files: found, read and appended.

"RIFF" size "WAVE" { id, size, content, a byte to make it even } …
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunesmith.audio.tags.model import INFO_ALIASES, INFO_CHUNKS
from tunesmith.audio.wave_header import read_wave_header

HEADER = 8
LONG_SIZE_AT = 20
MAX_CHUNKS = 10_000
MAX_CHUNK_BYTES = 16 << 20
CONTAINERS = (b"RIFF", b"RF64", b"BW64")
OWN_CHUNK = b"tnsm"
"""The chunk with Tunesmith's own metadata, JSON in UTF-8."""


@dataclass(frozen=True, slots=True)
class RiffChunk:
    """Where a chunk's content is."""

    name: bytes
    start: int
    size: int


def chunks_of(file: BinaryIO) -> Iterator[RiffChunk]:
    """Yield the chunks of a WAV file, as far as they are there; nothing for another file."""
    file.seek(0)
    head = file.read(12)
    if head[:4] not in CONTAINERS or head[8:12] != b"WAVE":
        return
    end = file.seek(0, 2)
    at = 12
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        header = file.read(HEADER)
        if len(header) < HEADER:
            return
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":  # whose size may be wrong, or elsewhere
            found = read_wave_header(file, end)
            size = found.held if found else size
        yield RiffChunk(header[:4], at + HEADER, min(size, end - at - HEADER))
        at += HEADER + size + size % 2


def content_of(file: BinaryIO, chunk: RiffChunk) -> bytes:
    """Return a chunk's content, empty for one that is too large to be a tag."""
    if chunk.size > MAX_CHUNK_BYTES:
        return b""
    file.seek(chunk.start)
    return file.read(chunk.size)


def clear_peak_time(path: Path) -> None:
    """Clear the time of writing from the PEAK chunk of a WAV file of floats: same sound, same bytes at any time."""
    with path.open("r+b") as file:
        for chunk in chunks_of(file):
            if chunk.name == b"PEAK":  # version, time in seconds since 1970, peaks
                file.seek(chunk.start + 4)
                file.write(bytes(4))


def append_chunks(path: Path, chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """Put chunks behind the sound of a WAV file and correct the length in its header."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.write(b"\0" * (end % 2))
        for name, content in chunks:
            file.write(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
        length = file.tell() - HEADER
        file.seek(0)
        is_long = file.read(4) == b"RF64"  # whose size is in the ds64 chunk, which comes first
        file.seek(LONG_SIZE_AT if is_long else 4)
        file.write(struct.pack("<Q" if is_long else "<I", length))


def info_list(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return the content of a ``LIST INFO`` chunk."""
    body = b"INFO"
    for name, text in pairs:
        value = text.encode() + b"\0"
        body += INFO_CHUNKS[name] + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
    return body


def info_pairs(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of a ``LIST INFO`` chunk's content; an unknown entry is called as in the file."""
    names = {**INFO_ALIASES, **{chunk: name for name, chunk in INFO_CHUNKS.items()}}
    for entry, content in list_entries(body):
        yield names.get(entry, entry.decode("latin-1").lower()), text_of(content)


def list_entries(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries of a ``LIST`` chunk's content, whose first four bytes say of which kind it is."""
    at = 4
    while at + HEADER <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        yield body[at : at + 4], body[at + 8 : at + 8 + size]
        at += HEADER + size + size % 2


def text_of(content: bytes) -> str:
    """Return text that a program wrote in UTF-8, or else in Windows' western code page."""
    bare = content.split(b"\0", 1)[0]
    try:
        return bare.decode()
    except UnicodeDecodeError:
        return bare.decode("cp1252", "replace")
