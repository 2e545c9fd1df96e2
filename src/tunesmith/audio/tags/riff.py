"""RIFF chunks of WAV files: found, read and appended.

"RIFF" size "WAVE" { id, size, content, a pad byte after an odd size } …
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
# The first field of ds64, which is the first chunk of RF64 (EBU Tech 3306).
LONG_SIZE_AT = 20
MAX_CHUNKS = 10_000
MAX_CHUNK_BYTES = 16 << 20
CONTAINERS = (b"RIFF", b"RF64", b"BW64")
OWN_CHUNK = b"tnsm"
"""The chunk with Tunesmith's own metadata, JSON in UTF-8."""


@dataclass(frozen=True, slots=True)
class RiffChunk:
    """A RIFF chunk: its id, and the position and size of its content in bytes."""

    name: bytes
    start: int
    size: int


def chunks_of(file: BinaryIO) -> Iterator[RiffChunk]:
    """Yield the chunks of a WAV file, as far as it is complete; nothing for other files."""
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
        # The size of the samples may be wrong, or stand in the ds64 chunk.
        if header[:4] == b"data":
            found = read_wave_header(file, end)
            size = found.held if found else size
        yield RiffChunk(header[:4], at + HEADER, min(size, end - at - HEADER))
        at += HEADER + size + size % 2


def content_of(file: BinaryIO, chunk: RiffChunk) -> bytes:
    """Return the content of a chunk; empty for one that is too large to be a tag."""
    if chunk.size > MAX_CHUNK_BYTES:
        return b""
    file.seek(chunk.start)
    return file.read(chunk.size)


def clear_peak_time(path: Path) -> None:
    """Clear the timestamp in the PEAK chunk of a float WAV file, so that the same sound gives the same bytes."""
    with path.open("r+b") as file:
        for chunk in chunks_of(file):
            # Its content is version, seconds since 1970, peaks.
            if chunk.name == b"PEAK":
                file.seek(chunk.start + 4)
                file.write(bytes(4))


def append_chunks(path: Path, chunks: Iterable[tuple[bytes, bytes]]) -> None:
    """Append chunks to a WAV file and correct the size in its header."""
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.write(b"\0" * (end % 2))
        for name, content in chunks:
            file.write(name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2))
        length = file.tell() - HEADER
        file.seek(0)
        # RF64 keeps its size in the ds64 chunk, which comes first.
        is_long = file.read(4) == b"RF64"
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
    """Yield the names and texts in a ``LIST INFO`` chunk; an unknown entry keeps its id as its name."""
    names = {**INFO_ALIASES, **{chunk: name for name, chunk in INFO_CHUNKS.items()}}
    for entry, content in list_entries(body):
        yield names.get(entry, entry.decode("latin-1").lower()), text_of(content)


def list_entries(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries in the content of a ``LIST`` chunk, after the four bytes of its type."""
    at = 4
    while at + HEADER <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        yield body[at : at + 4], body[at + 8 : at + 8 + size]
        at += HEADER + size + size % 2


def text_of(content: bytes) -> str:
    """Return text up to its first zero byte, decoded as UTF-8 or else as Windows-1252."""
    bare = content.split(b"\0", 1)[0]
    try:
        return bare.decode()
    except UnicodeDecodeError:
        return bare.decode("cp1252", "replace")
