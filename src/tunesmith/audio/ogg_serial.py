"""Ogg pages, read, and written with a fixed serial number: libsndfile draws a random one for each file, so that the
same sound would give different bytes.

An Ogg page (RFC 3533) is a 27-byte header, a table of segment lengths, and the segments:

    0 "OggS" · 4 version · 5 flags · 6 granule position · 14 stream number · 18 page number · 22 checksum · 26 segments
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

CAPTURE = b"OggS"
# The length and two places of a page header (RFC 3533, 6).
HEADER, FLAGS_AT, NUMBER_AT = 27, 5, 14
# Many hours of sound.
MOST_PAGES = 500_000
STREAM_NUMBER = 1
# Flags of a page: the first one of a stream, and one that begins inside a packet.
FIRST_PAGE, CONTINUED = 2, 1
# RFC 3533 gives this position to a page in which no packet ends.
NO_GRANULE = -1
# A segment of 255 bytes says that its packet goes on; a page has at most 255 of them.
SEGMENT, SEGMENTS = 255, 255
# Every byte with its bits in reverse order, for the checksum.
MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """An Ogg page: its flags, its granule position, the lacing values of its segments, and the segments."""

    flags: int
    granule: int
    lengths: bytes
    body: bytes

    def segments(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the packets of the page, or parts of them, each with whether it ends in this page."""
        start = end = 0
        for length in self.lengths:
            end += length
            # A packet ends with the first segment shorter than 255 bytes.
            if length < SEGMENT:
                yield self.body[start:end], True
                start = end
        if end > start:
            yield self.body[start:end], False

    def numbered(self, number: int) -> bytes:
        """Return the bytes of the page with sequence number ``number``."""
        head = CAPTURE + bytes((0, self.flags)) + self.granule.to_bytes(8, "little", signed=True)
        head += STREAM_NUMBER.to_bytes(4, "little") + number.to_bytes(4, "little")
        rest = bytes([len(self.lengths)]) + self.lengths + self.body
        # The checksum covers the page with its own field set to zero.
        return head + checksum(head + bytes(4) + rest).to_bytes(4, "little") + rest


def read_page(file: BinaryIO) -> Page | None:
    """Read the next page, None at the end; raise ValueError for anything else."""
    header = file.read(HEADER)
    if not header:
        return None
    if not header.startswith(CAPTURE) or len(header) < HEADER:
        raise ValueError(f"no Ogg page at byte {file.tell() - len(header)}")
    lengths = file.read(header[-1])
    granule = int.from_bytes(header[6:NUMBER_AT], "little", signed=True)
    return Page(header[5], granule, lengths, file.read(sum(lengths)))


def pages_of_packets(packets: Sequence[bytes], granule: int) -> Iterator[Page]:
    """Lay out packets in as few pages as possible; ``granule`` is the granule position at the end of the last."""
    lengths = [length for packet in packets for length in _segments(len(packet))]
    body, at, begins = b"".join(packets), 0, True
    for first in range(0, len(lengths), SEGMENTS):
        part = bytes(lengths[first : first + SEGMENTS])
        size = sum(part)
        ends_a_packet = any(length < SEGMENT for length in part)
        yield Page(0 if begins else CONTINUED, granule if ends_a_packet else NO_GRANULE, part, body[at : at + size])
        at, begins = at + size, part[-1] < SEGMENT


def links_of(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """Return the start and end of each link of a chained file, in bytes; one link for a file that is not chained.

    A link begins with the first pages of its streams. Everything after a damaged page, or past MOST_PAGES, belongs to
    the link before.
    """
    starts, was_first, place = [0], True, 0
    for _ in range(MOST_PAGES):
        file.seek(place)
        header = file.read(HEADER)
        if len(header) < HEADER or not header.startswith(CAPTURE):
            break
        is_first = bool(header[FLAGS_AT] & FIRST_PAGE)
        # A link with several streams begins with several first pages.
        if is_first and not was_first:
            starts.append(place)
        was_first = is_first
        place += HEADER + header[-1] + sum(file.read(header[-1]))
    return list(pairwise([*starts, size]))


def checksum(page: bytes | bytearray) -> int:
    """Return the CRC-32 of a page: zlib's polynomial without bit reflection, with initial value 0 and no inversion."""
    # Reflecting the bits of input and output lets zlib's fast code compute it.
    mirrored = zlib.crc32(page.translate(MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _segments(size: int) -> list[int]:
    return [SEGMENT] * (size // SEGMENT) + [size % SEGMENT]
