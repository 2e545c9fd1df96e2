"""Truncation: whether a file is shorter than its header states, as after a broken download."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from tunesmith.audio.header_correction import flac_total
from tunesmith.audio.mp3_frames import HAS_BYTES, HAS_FRAMES, XING, after_id3
from tunesmith.audio.ogg_serial import CAPTURE, FLAGS_AT
from tunesmith.audio.wave_header import NAMES, read_wave_header

# The flag of the last page of an Ogg stream.
LAST_PAGE = 4
# The header, 255 lengths and 255 segments of 255 bytes: the last page begins within so many bytes of the end.
LONGEST_PAGE = 65_307
UNKNOWN_FORM = 0x7FFF_0000
"""AIFF writers that do not know the size state one like this or larger, or 0."""
# A frame's header, its side information and a whole Xing header end before.
XING_REACH = 200


def is_truncated(path: Path, num_samples: int) -> bool:
    """Tell whether a file with ``num_samples`` decoded should have more; False if it states no length."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] in NAMES:
            header = read_wave_header(file, size)
            return header is not None and header.is_cut_off
        if start[:4] == b"FORM":
            return UNKNOWN_FORM > int.from_bytes(start[4:8], "big") > size - 8
        if start[:4] == b"fLaC":
            return num_samples < (flac_total(file) or 0)
        if start[:4] == CAPTURE:
            return not _has_last_page(file, size)
        return _lacks_frames(file, start, size)


def _has_last_page(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - LONGEST_PAGE))
    end = file.read()
    at = end.rfind(CAPTURE)
    return at >= 0 and at + FLAGS_AT < len(end) and bool(end[at + FLAGS_AT] & LAST_PAGE)


def _lacks_frames(file: BinaryIO, start: bytes, size: int) -> bool:
    """Compare the size of an MP3 with the byte count in its Xing header; False without one."""
    first = after_id3(start)
    file.seek(first)
    frame = file.read(XING_REACH)
    # The header's offset depends on version and channels; a search over the first frame finds it.
    at = max(frame.find(name) for name in XING)
    if frame[:1] != b"\xff" or at < 0:
        return False
    flags: int = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if not flags & HAS_BYTES:
        return False
    place = at + 8 + (4 if flags & HAS_FRAMES else 0)
    length: int = struct.unpack(">I", frame[place : place + 4])[0]
    return first + length > size
