"""Ogg streams without chance: libsndfile numbers each stream at random, so the same sound would give other bytes.

An Ogg page (RFC 3533) is a 27-byte header, a table of segment lengths, and the segments:

    0 "OggS" · 4 version · 5 flags · 6 granule position · 14 stream number · 18 page number · 22 checksum · 26 segments
"""

from __future__ import annotations

import zlib
from pathlib import Path

CAPTURE = b"OggS"
HEADER, NUMBER_AT, CHECKSUM_AT = 27, 14, 22
STREAM_NUMBER = 1
MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def number_stream(path: Path, number: int = STREAM_NUMBER) -> None:
    """Give every page of the file's one stream this number, and the checksum that goes with it."""
    with path.open("r+b") as file:
        while header := file.read(HEADER):
            if not header.startswith(CAPTURE) or len(header) < HEADER:
                raise ValueError(f"{path} is no Ogg stream at byte {file.tell() - len(header)}")
            lengths = file.read(header[-1])
            body = file.read(sum(lengths))
            page = bytearray(header + lengths + body)
            page[NUMBER_AT : NUMBER_AT + 4] = number.to_bytes(4, "little")
            page[CHECKSUM_AT : CHECKSUM_AT + 4] = bytes(4)
            page[CHECKSUM_AT : CHECKSUM_AT + 4] = checksum(page).to_bytes(4, "little")
            file.seek(-len(page), 1)
            file.write(page)


def checksum(page: bytes | bytearray) -> int:
    """Return a page's CRC-32: zlib's polynomial with bits in the other order, starting from 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
