"""Sound files as other programs write them: with ID3 tags of every version, RIFF chunks and Vorbis comments."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100
TONE = (0.3 * np.sin(np.arange(RATE) / 16)).astype(np.float32)
STRINGS = ("title", "artist", "album", "date", "tracknumber", "genre", "comment", "copyright", "license")


def write_tone(path: Path, tags: Mapping[str, str] | None = None, rate: int = RATE) -> Path:
    """Write a second of a tone, with the tags that libsndfile can write."""
    with soundfile.SoundFile(path, "w", rate, 1, format=None if path.suffix != ".opus" else "OGG",
                             subtype="OPUS" if path.suffix == ".opus" else None) as file:  # fmt: skip
        for name, text in (tags or {}).items():
            setattr(file, name, text)
        file.write(TONE)
    return path


def write_wav(path: Path, *chunks: tuple[bytes, bytes], samples: int = RATE) -> Path:
    """Write a WAV file whose chunks stand before its sound, as many programs put them."""
    data = (TONE[:samples] * 32767).astype("<i2").tobytes()
    parts = [(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)), *chunks, (b"data", data)]
    body = b"WAVE" + b"".join(_chunk(name, content) for name, content in parts)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def info(entries: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a ``LIST INFO`` chunk."""
    return b"LIST", b"INFO" + b"".join(_chunk(name, text + b"\0") for name, text in entries.items())


def smpl(loops: Sequence[tuple[int, int, int]], unity_note: int = 60) -> tuple[bytes, bytes]:
    """Return a ``smpl`` chunk with loops of (kind, first sample, last sample)."""
    head = struct.pack("<9I", 0, 0, 22_676, unity_note, 0, 0, 0, len(loops), 0)
    return b"smpl", head + b"".join(struct.pack("<6I", 7, kind, a, b, 0, 0) for kind, a, b in loops)


def cues(points: Mapping[int, str]) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Return a ``cue `` chunk and its labels."""
    numbered = list(enumerate(points.items(), start=1))
    places = b"".join(struct.pack("<II4sIII", number, at, b"data", 0, 0, at) for number, (at, _) in numbered)
    labels = b"".join(
        _chunk(b"labl", struct.pack("<I", number) + label.encode() + b"\0") for number, (_, label) in numbered
    )
    return (b"cue ", struct.pack("<I", len(points)) + places), (b"LIST", b"adtl" + labels)


def write_mp3(path: Path, head: bytes = b"", tail: bytes = b"") -> Path:
    """Write an MP3 file between a tag before and a tag after its sound."""
    soundfile.write(path, TONE, RATE, format="MP3")
    path.write_bytes(head + path.read_bytes() + tail)
    return path


def id3(version: int, frames: Iterable[tuple[bytes, bytes]], flags: int = 0) -> bytes:
    """Return an ID3v2 tag; with flag 0x80 it is unsynchronised."""
    body = b"".join(_frame(version, name, content) for name, content in frames)
    if flags & 0x80:
        body = body.replace(b"\xff", b"\xff\0")
    return b"ID3" + bytes((version, 0, flags)) + _synchsafe(len(body)) + body


def id3v1(title: str, artist: str, album: str, year: str, track: int, genre: int) -> bytes:
    """Return an ID3v1.1 tag."""
    fields = ((title, 30), (artist, 30), (album, 30), (year, 4), ("", 28))
    return b"TAG" + b"".join(text.encode("latin-1").ljust(size, b"\0") for text, size in fields) + bytes(
        (0, track, genre)
    )  # fmt: skip


def _frame(version: int, name: bytes, content: bytes) -> bytes:
    if version == 2:
        return name + len(content).to_bytes(3, "big") + content
    size = _synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name + size + b"\0\0" + content


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
