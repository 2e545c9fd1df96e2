"""Vorbis comments (xiph.org/vorbis/doc/v-comment.html), written into FLAC and Ogg files that lack them.

A comment block is the vendor string, the number of comments, and each comment as ``NAME=value`` in UTF-8, all with
four-byte lengths. In FLAC it is a metadata block; in Ogg it is the second packet, before the codebooks of Vorbis.
"""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tunesmith.audio.ogg_serial import Page, pages_of_packets, read_page
from tunesmith.audio.tags.model import Tags
from tunesmith.files import atomic_write

# The type VORBIS_COMMENT, and the bit that marks the last metadata block (RFC 9639, 8.1).
COMMENT_BLOCK, LAST_BLOCK = 4, 0x80
# The length of a metadata block has 24 bits.
MAX_BLOCK_BYTES = (1 << 24) - 1
UNFIT = re.compile(r"[^\x20-\x3c\x3e-\x7d]")
VORBIS, OPUS = b"\x03vorbis", b"OpusTags"
HEADER_PACKETS = {VORBIS: 2, OPUS: 1}
"""The number of header packets after the first, by the start of the comment packet."""


def put_flac_comments(path: Path, tags: Tags) -> None:
    """Replace the comments of a FLAC file; raise ValueError if they exceed a metadata block."""
    with atomic_write(path) as target, path.open("rb") as source:
        target.write(source.read(4))
        blocks = []
        is_last = False
        while not is_last:
            header = source.read(4)
            is_last, kind = bool(header[0] & LAST_BLOCK), header[0] & ~LAST_BLOCK
            blocks.append((kind, source.read(int.from_bytes(header[1:], "big"))))
        vendor = next((_vendor(content) for kind, content in blocks if kind == COMMENT_BLOCK), b"")
        others = [block for block in blocks if block[0] != COMMENT_BLOCK]
        # STREAMINFO must be the first block.
        ordered = [others[0], (COMMENT_BLOCK, _comments(vendor, tags, MAX_BLOCK_BYTES)), *others[1:]]
        for number, (kind, content) in enumerate(ordered, start=1):
            last = LAST_BLOCK if number == len(ordered) else 0
            target.write(bytes([kind | last]) + len(content).to_bytes(3, "big") + content)
        shutil.copyfileobj(source, target)


def put_ogg_comments(path: Path, tags: Tags) -> None:
    """Replace the comments of an Ogg file with one Vorbis or Opus stream; give all pages the fixed serial number."""
    with atomic_write(path) as target, path.open("rb") as source:
        first = read_page(source)
        assert first is not None
        packets, granule = _header_packets(source)
        start = next(start for start in HEADER_PACKETS if packets[0].startswith(start))
        comments = start + _comments(_vendor(packets[0][len(start) :]), tags)
        # Vorbis ends the comment packet with a framing bit, Opus does not.
        packets[0] = comments + (b"\x01" if start == VORBIS else b"")
        headers = pages_of_packets(packets, granule)
        for number, page in enumerate([first, *headers, *_pages(source)]):
            target.write(page.numbered(number))


def _header_packets(source: BinaryIO) -> tuple[list[bytes], int]:
    """Return the header packets after the first, which end with a page, and the granule position of that page."""
    packets: list[bytes] = []
    unfinished, granule = b"", 0
    while not packets or len(packets) < next(n for start, n in HEADER_PACKETS.items() if packets[0].startswith(start)):
        page = read_page(source)
        if page is None:
            raise ValueError("the headers of the Ogg stream are cut off")
        granule = page.granule
        for segment, is_whole in page.segments():
            unfinished += segment
            if is_whole:
                packets.append(unfinished)
                unfinished = b""
    return packets, granule


def _pages(source: BinaryIO) -> Iterator[Page]:
    while page := read_page(source):
        yield page


def _comments(vendor: bytes, tags: Tags, most: int | None = None) -> bytes:
    # A field name is printable ASCII without "=" and "~".
    entries = [f"{UNFIT.sub('_', name).upper()}={value}".encode() for name, values in tags.items() for value in values]
    body = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(entries))
    body += b"".join(struct.pack("<I", len(entry)) + entry for entry in entries)
    if most is not None and len(body) > most:
        raise ValueError(f"the tags must be at most {most} bytes, got {len(body)}")
    return body


def _vendor(body: bytes) -> bytes:
    return body[4 : 4 + int.from_bytes(body[:4], "little")]
