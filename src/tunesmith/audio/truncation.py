"""Cut off: whether a sound file says of itself that there should be more of it, as after a broken download."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from tunesmith.audio.corrected import flac_total
from tunesmith.audio.wave_header import NAMES, read_wave_header

PAGE, LAST_PAGE = b"OggS", 4
LONGEST_PAGE = 65_307
XING = (b"Xing", b"Info")
UNKNOWN_FORM = 0x7FFF_0000
"""Writers of AIFF that do not know the size claim one like this or larger, or none."""
XING_REACH = 200
HAS_FRAMES, HAS_BYTES = 1, 2


def is_truncated(path: Path, num_samples: int) -> bool:
    """Tell whether a file of which so many samples were read should have more; False where it does not say."""
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
        if start[:4] == PAGE:
            return not _has_last_page(file, size)
        return _lacks_frames(file, start, size)


def _has_last_page(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - LONGEST_PAGE))
    end = file.read()
    at = end.rfind(PAGE)
    return at >= 0 and at + 5 < len(end) and bool(end[at + 5] & LAST_PAGE)


def _lacks_frames(file: BinaryIO, start: bytes, size: int) -> bool:
    """Compare an MP3 with the number of bytes in its first frame, where the encoder left it."""
    first = 0
    if start[:3] == b"ID3":
        first = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(start[6:10], (21, 14, 7, 0), strict=True))
    file.seek(first)
    frame = file.read(XING_REACH)
    at = max(frame.find(name) for name in XING)
    if frame[:1] != b"\xff" or at < 0:
        return False
    flags: int = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if not flags & HAS_BYTES:
        return False
    place = at + 8 + (4 if flags & HAS_FRAMES else 0)
    length: int = struct.unpack(">I", frame[place : place + 4])[0]
    return first + length > size
