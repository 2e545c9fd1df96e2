"""WAV, RF64 and BW64 headers: the position and the true length of the samples.

A writer that does not know the length beforehand (a pipe) or that is killed leaves 0, 0xFFFFFFFF or an outdated size in
the header. RF64 and BW64 (ITU-R BS.2088) keep 64-bit sizes in a ``ds64`` chunk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunesmith.audio.concatenated_file import Segment, Window

NAMES = (b"RIFF", b"RF64", b"BW64")
# What recorders and pipes write where they do not know the length yet.
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000)
LARGEST_RIFF = 0xFFFF_FF00
LONGEST_FORMAT = 4096
MOST_CHUNKS = 10_000
# WAVE_FORMAT_EXTENSIBLE; dwChannelMask is the 32 bits at byte 20 of the fmt chunk.
EXTENSIBLE, MASK_AT = 0xFFFE, 20
FOLLOWING = frozenset((
    b"LIST", b"smpl", b"bext", b"iXML", b"id3 ", b"ID3 ", b"cue ", b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR",
    b"axml", b"chna", b"acid", b"inst", b"PEAK", b"cart", b"plst", b"DISP", b"umid", b"afsp", b"_PMX", b"minf", b"tnsm",
))  # fmt: skip
"""Chunks known to follow the samples; these count even if they are truncated."""
TRAILERS = (b"ID3", b"TAG", b"APETAGEX")
"""The starts of tags that other programs append to a WAV file outside any chunk."""


@dataclass(frozen=True, slots=True)
class WaveHeader:
    """A parsed header: ``claimed`` bytes of samples from ``start``, of which the file has ``held``.

    ``format`` is the content of the ``fmt `` chunk at ``format_at``; ``after`` is the number of bytes from ``start`` to
    the end of the file.
    """

    name: bytes
    format: bytes
    format_at: int
    start: int
    claimed: int
    held: int
    after: int

    @property
    def is_cut_off(self) -> bool:
        """Whether the file ends before the length that its header states."""
        return self.claimed not in UNKNOWN_LENGTHS and self.claimed > self.after

    @property
    def channel_mask(self) -> int | None:
        """The channel mask of WAVE_FORMAT_EXTENSIBLE; None if the header has none."""
        if len(self.format) < 24 or struct.unpack("<H", self.format[:2])[0] != EXTENSIBLE:
            return None
        mask: int = struct.unpack("<I", self.format[MASK_AT : MASK_AT + 4])[0]
        return mask or None


def read_wave_header(file: BinaryIO, size: int) -> WaveHeader | None:
    """Read the header of a WAV, RF64 or BW64 file of ``size`` bytes; None for other files or without a data chunk."""
    file.seek(0)
    start = file.read(12)
    if start[:4] not in NAMES or start[8:] != b"WAVE":
        return None
    form, form_at, long_length = b"", 0, None
    for _ in range(MOST_CHUNKS):
        if len(header := file.read(8)) < 8:
            break
        length: int = struct.unpack("<I", header[4:])[0]
        if header[:4] == b"data":
            at = file.tell()
            claimed = long_length if long_length is not None and length == 0xFFFFFFFF else length
            held = _held(file, at, claimed, size, struct.unpack("<H", form[12:14])[0] if len(form) >= 14 else 1)
            return WaveHeader(start[:4], form, form_at, at, claimed, held, size - at)
        if header[:4] in (b"fmt ", b"ds64") and length <= LONGEST_FORMAT:
            at, content = file.tell(), file.read(length)
            if header[:4] == b"fmt ":
                form, form_at = content, at
            if header[:4] == b"ds64" and len(content) >= 16:
                long_length = struct.unpack("<Q", content[8:16])[0]
            file.seek(length % 2, 1)
        else:
            file.seek(length + length % 2, 1)
    return None


def state_speakers(path: Path, channel_mask: int | None) -> None:
    """Write the channel mask into the header of a WAV file, if the header has a field for it."""
    with path.open("r+b") as file:
        header = read_wave_header(file, path.stat().st_size)
        if channel_mask is not None and header is not None and header.channel_mask is not None:
            file.seek(header.format_at + MASK_AT)
            file.write(struct.pack("<I", channel_mask))


def corrected_wave(header: WaveHeader) -> tuple[Segment, ...] | None:
    """Return the file with a header that states its true length; None if it does already."""
    if header.held != header.claimed:
        return _new_header(header.format, header.held), Window(header.start, header.start + header.held)
    if header.name == b"BW64":
        # RF64 has the same layout, and libsndfile reads it.
        return b"RF64", Window(4, header.start + header.after)
    return None


def _new_header(form: bytes, length: int, largest: int = LARGEST_RIFF) -> bytes:
    chunk = b"fmt " + struct.pack("<I", len(form)) + form + b"\0" * (len(form) % 2)
    total = 4 + len(chunk) + 8 + length
    if total <= largest:
        return b"RIFF" + struct.pack("<I", total) + b"WAVE" + chunk + b"data" + struct.pack("<I", length)
    sizes = b"ds64" + struct.pack("<IQQQI", 28, total + 36, length, 0, 0)
    # A 32-bit size of 0xFFFFFFFF refers to the 64-bit one in ds64.
    return b"RF64\xff\xff\xff\xffWAVE" + sizes + chunk + b"data\xff\xff\xff\xff"


def _held(file: BinaryIO, start: int, claimed: int, size: int, frame_bytes: int) -> int:
    after = size - start
    if claimed > after or (claimed < after and not _is_followed_well(file, start, claimed, size)):
        # Drop an incomplete last frame, which lacks samples of some channels.
        return after - after % max(1, frame_bytes)
    return claimed


def _is_followed_well(file: BinaryIO, start: int, claimed: int, size: int) -> bool:
    """Tell whether other data than more samples follows the claimed samples."""
    # Some writers omit the pad byte after an odd length.
    places = (start + claimed + claimed % 2, start + claimed)
    return any(_are_chunks(file, place, size) for place in places)


def _are_chunks(file: BinaryIO, place: int, size: int) -> bool:
    file.seek(place)
    beginning = file.read(1 << 16)
    # Other programs append tags or zeros outside any chunk.
    if beginning.startswith(TRAILERS) or not beginning.strip(b"\0"):
        return True
    for _ in range(MOST_CHUNKS):
        if place + 8 > size:
            break
        file.seek(place)
        header = file.read(8)
        if header[:4] in FOLLOWING:
            return True
        if not all(32 <= byte < 127 for byte in header[:4]):
            return False
        length: int = struct.unpack("<I", header[4:])[0]
        place += 8 + length + length % 2
    # The pad byte of the last chunk may be missing.
    return place <= size + 1
