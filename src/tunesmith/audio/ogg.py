"""Ogg streams without chance: libsndfile numbers each stream at random, so the same sound would give other bytes.

An Ogg page (RFC 3533) is a 27-byte header, a table of segment lengths, and the segments:

    0 "OggS" · 4 version · 5 flags · 6 granule position · 14 stream number · 18 page number · 22 checksum · 26 segments
"""

from __future__ import annotations

import zlib
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

CAPTURE = b"OggS"
HEADER, FLAGS_AT, NUMBER_AT, CHECKSUM_AT = 27, 5, 14, 22
FIRST_PAGE = 2  # a flag: the first page of a stream
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


def links_of(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """Return where the parts of a chained file begin and end, one for a file that is not chained.

    A part (RFC 3533 calls it a link) begins with the first pages of its streams. What follows a damaged page belongs to
    the part before.
    """
    starts, was_first, place = [0], True, 0
    while True:
        file.seek(place)
        header = file.read(HEADER)
        if len(header) < HEADER or not header.startswith(CAPTURE):
            break
        is_first = bool(header[FLAGS_AT] & FIRST_PAGE)
        if is_first and not was_first:
            starts.append(place)
        was_first = is_first
        place += HEADER + header[-1] + sum(file.read(header[-1]))
    return list(pairwise([*starts, size]))


def checksum(page: bytes | bytearray) -> int:
    """Return a page's CRC-32: zlib's polynomial with bits in the other order, starting from 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
