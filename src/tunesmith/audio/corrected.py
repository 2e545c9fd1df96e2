"""Sound files as a decoder should see them: with the length that is there, not the one that a header states.

A frame count in a header is an estimate: writers to a pipe do not know it, programs that were killed leave an old one,
and a chained Ogg file states that of its first part only. Here the header of each format is corrected before decoding,
without copying the sound.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

from tunesmith.audio.joined_file import JoinedFile, Piece, Window
from tunesmith.audio.mp3_frames import corrected_mp3
from tunesmith.audio.ogg_serial import links_of
from tunesmith.audio.wave_header import MOST_CHUNKS, corrected_wave, read_wave_header

FLAC_TOTAL_AT, FLAC_TOTAL_BITS = 18, 36
AU_HEADER = 24
UNKNOWN_AU = 0xFFFF_FFFF
SHORTEST_SAMPLES = 8  # an offset and block size in AIFF, an edit count in CAF, come before the samples


@dataclass(frozen=True, slots=True)
class Corrected:
    """The parts of a file, to be decoded one after another; ``claimed`` samples are stated where a decoder asks."""

    parts: tuple[JoinedFile, ...]
    claimed: int | None = None
    channel_mask: int | None = None


def corrected(file: BinaryIO) -> Corrected:
    """Return the file with true lengths; the file must stay open while the parts are read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(16)
    found = next((correct for name, correct in _FORMATS.items() if start.startswith(name)), None)
    if found is None and start[:1] == b"\xff":
        found = _mp3
    return found(file, size) if found else _one(file, size, None)


def flac_total(file: BinaryIO) -> int | None:
    """Return the number of samples that a FLAC file's STREAMINFO states; None where it is unknown."""
    file.seek(FLAC_TOTAL_AT)
    return int.from_bytes(file.read(8), "big") & ((1 << FLAC_TOTAL_BITS) - 1) or None


def _one(file: BinaryIO, size: int, pieces: tuple[Piece, ...] | None) -> Corrected:
    return Corrected((JoinedFile(file, pieces or (Window(0, size),)),))


def _flac(file: BinaryIO, size: int) -> Corrected:
    """State that the total is unknown (RFC 9639, 8.2), so that the decoder goes on until the end."""
    claimed = flac_total(file)
    file.seek(FLAC_TOTAL_AT)
    bits = int.from_bytes(file.read(8), "big") >> FLAC_TOTAL_BITS << FLAC_TOTAL_BITS
    at = FLAC_TOTAL_AT
    pieces = Window(0, at), bits.to_bytes(8, "big"), Window(at + 8, size)
    return Corrected((JoinedFile(file, pieces),), claimed)


def _ogg(file: BinaryIO, size: int) -> Corrected:
    return Corrected(tuple(JoinedFile(file, (Window(*link),)) for link in links_of(file, size)))


def _wave(file: BinaryIO, size: int) -> Corrected:
    header = read_wave_header(file, size)
    if header is None:
        return _one(file, size, None)
    pieces = corrected_wave(header) or (Window(0, size),)
    return Corrected((JoinedFile(file, pieces),), channel_mask=header.channel_mask)


def _mp3(file: BinaryIO, size: int) -> Corrected:
    return _one(file, size, corrected_mp3(file, size))


def _aiff(file: BinaryIO, size: int) -> Corrected:
    """Let the samples reach to the end where their size cannot be; libsndfile itself corrects larger sizes."""
    return _one(file, size, _with_length(file, size, 12, b"SSND", ">4sI"))


def _au(file: BinaryIO, size: int) -> Corrected:
    """State that the length is unknown, which the format allows: its samples reach to the end of the file."""
    pieces = Window(0, 8), UNKNOWN_AU.to_bytes(4, "big"), Window(12, size)
    return _one(file, size, pieces if size > AU_HEADER else None)


def _caf(file: BinaryIO, size: int) -> Corrected:
    """Let the samples reach to the end where their length is unknown (−1) or cannot be."""
    return _one(file, size, _with_length(file, size, 8, b"data", ">4sq"))


def _with_length(file: BinaryIO, size: int, place: int, samples: bytes, layout: str) -> tuple[Piece, ...] | None:
    """Find the chunk of samples and return the file with its true length, if that is not what it states."""
    header_size = struct.calcsize(layout)
    for _ in range(MOST_CHUNKS):
        if place + header_size > size:
            break
        file.seek(place)
        name, length = struct.unpack(layout, file.read(header_size))
        end = place + header_size + length
        if name == samples:
            is_stated = length > SHORTEST_SAMPLES and (end == size or _is_chunk_at(file, end, size))
            held = (size - place - header_size).to_bytes(header_size - 4, "big")
            return None if is_stated else (Window(0, place + 4), held, Window(place + header_size, size))
        if length < 0:
            return None
        place = end + (length % 2 if layout == ">4sI" else 0)
    return None


def _is_chunk_at(file: BinaryIO, place: int, size: int) -> bool:
    if place > size:
        return False
    file.seek(place + place % 2)
    name = file.read(4)
    return len(name) < 4 or all(32 <= byte < 127 for byte in name)


_FORMATS: Mapping[bytes, Callable[[BinaryIO, int], Corrected]] = MappingProxyType({
    b"RIFF": _wave, b"RF64": _wave, b"BW64": _wave, b"fLaC": _flac, b"OggS": _ogg, b"ID3": _mp3, b"FORM": _aiff,
    b".snd": _au, b"caff": _caf,
})  # fmt: skip
