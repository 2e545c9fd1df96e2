"""Header correction: sound files with their true length, for decoders that trust the header.

The length in a header is unreliable: a writer to a pipe does not know it, a killed program leaves an old one, and a
chained Ogg file states only that of its first link. The header of each format is corrected before decoding, without
copying the audio.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

from tunesmith.audio.concatenated_file import ConcatenatedFile, Segment, Window
from tunesmith.audio.mp3_frames import corrected_mp3
from tunesmith.audio.ogg_serial import links_of
from tunesmith.audio.wave_header import MOST_CHUNKS, corrected_wave, read_wave_header

# STREAMINFO ends its eight bytes at 18 with the number of samples, 36 bits (RFC 9639, 8.2).
FLAC_TOTAL_AT, FLAC_TOTAL_BITS = 18, 36
# Six words of 32 bits; a longer header holds an annotation.
AU_HEADER = 24
# What the format writes for an unknown length.
UNKNOWN_AU = 0xFFFF_FFFF
# Before the samples come an offset and a block size in AIFF, an edit count in CAF.
SHORTEST_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Corrected:
    """The parts of a file, to decode in order.

    ``claimed`` is the number of samples in a FLAC header, ``channel_mask`` the speakers in a WAV header.
    """

    parts: tuple[ConcatenatedFile, ...]
    claimed: int | None = None
    channel_mask: int | None = None


def corrected(file: BinaryIO) -> Corrected:
    """Return the file with its true lengths. The file must stay open while the parts are read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(16)
    found = next((correct for name, correct in _FORMATS.items() if start.startswith(name)), None)
    # MPEG audio without an ID3 tag has no magic number, only the frame's sync word.
    if found is None and start[:1] == b"\xff":
        found = _mp3
    return found(file, size) if found else _one(file, size, None)


def flac_total(file: BinaryIO) -> int | None:
    """Return the number of samples in a FLAC file's STREAMINFO; None if it is unknown."""
    file.seek(FLAC_TOTAL_AT)
    return int.from_bytes(file.read(8), "big") & ((1 << FLAC_TOTAL_BITS) - 1) or None


def _one(file: BinaryIO, size: int, segments: tuple[Segment, ...] | None) -> Corrected:
    return Corrected((ConcatenatedFile(file, segments or (Window(0, size),)),))


def _flac(file: BinaryIO, size: int) -> Corrected:
    """Set the total to unknown (RFC 9639, 8.2), so that the decoder reads on to the end."""
    claimed = flac_total(file)
    file.seek(FLAC_TOTAL_AT)
    # Clear only the lowest 36 bits: sample rate, channels and bit depth share these 8 bytes.
    bits = int.from_bytes(file.read(8), "big") >> FLAC_TOTAL_BITS << FLAC_TOTAL_BITS
    at = FLAC_TOTAL_AT
    segments = Window(0, at), bits.to_bytes(8, "big"), Window(at + 8, size)
    return Corrected((ConcatenatedFile(file, segments),), claimed)


def _ogg(file: BinaryIO, size: int) -> Corrected:
    return Corrected(tuple(ConcatenatedFile(file, (Window(*link),)) for link in links_of(file, size)))


def _wave(file: BinaryIO, size: int) -> Corrected:
    header = read_wave_header(file, size)
    if header is None:
        return _one(file, size, None)
    segments = corrected_wave(header) or (Window(0, size),)
    return Corrected((ConcatenatedFile(file, segments),), channel_mask=header.channel_mask)


def _mp3(file: BinaryIO, size: int) -> Corrected:
    return _one(file, size, corrected_mp3(file, size))


def _aiff(file: BinaryIO, size: int) -> Corrected:
    """Extend the sample data to the end if its size is impossible; libsndfile itself corrects larger sizes."""
    return _one(file, size, _with_length(file, size, 12, b"SSND", ">4sI"))


def _au(file: BinaryIO, size: int) -> Corrected:
    """Set the length to unknown, which the format allows: the sample data then extends to the end of the file."""
    segments = Window(0, 8), UNKNOWN_AU.to_bytes(4, "big"), Window(12, size)
    return _one(file, size, segments if size > AU_HEADER else None)


def _caf(file: BinaryIO, size: int) -> Corrected:
    """Extend the sample data to the end if its length is unknown (−1) or impossible."""
    return _one(file, size, _with_length(file, size, 8, b"data", ">4sq"))


def _with_length(file: BinaryIO, size: int, place: int, samples: bytes, layout: str) -> tuple[Segment, ...] | None:
    """Find the sample chunk; return the file with its true length, or None if the stated one is right."""
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
        # AIFF pads chunks to an even length, CAF does not.
        place = end + (length % 2 if layout == ">4sI" else 0)
    return None


def _is_chunk_at(file: BinaryIO, place: int, size: int) -> bool:
    if place > size:
        return False
    file.seek(place + place % 2)
    name = file.read(4)
    # A chunk name is printable ASCII, which four bytes of samples rarely are.
    return len(name) < 4 or all(32 <= byte < 127 for byte in name)


_FORMATS: Mapping[bytes, Callable[[BinaryIO, int], Corrected]] = MappingProxyType({
    b"RIFF": _wave, b"RF64": _wave, b"BW64": _wave, b"fLaC": _flac, b"OggS": _ogg, b"ID3": _mp3, b"FORM": _aiff,
    b".snd": _au, b"caff": _caf,
})  # fmt: skip
