"""MP3 frames: counts the frames of an MPEG layer III file and corrects the count in its header.

An MP3 states no length. Encoders put the number of frames into the first frame (Xing, Info or VBRI header), where it
may be wrong or missing; a decoder then estimates it from the file size, and stops too early if the bit rate varies.
"""

from __future__ import annotations

import io
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from tunesmith.audio.concatenated_file import Segment, Window

# The version as the header states it: 3 is MPEG 1, 2 is MPEG 2 and 0 is MPEG 2.5, which has the bit rates of MPEG 2.
# The first bit rate stands for free format, which states no size, and the last is invalid.
KILOBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# Layer III of the three versions, each with and without a checksum.
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")
# A sync word also occurs in other data by chance; three consistent frames in a row do not.
CERTAIN = 3
XING = (b"Xing", b"Info")
# Flags of a Xing header: which fields it has.
HAS_FRAMES, HAS_BYTES = 1, 2
# The letters ID3, two bytes of version, one of flags, four of size.
ID3_HEADER = 10
# Three and a half hours at 44.1 kHz.
MOST_FRAMES, SMALLEST_FRAME = 500_000, 24
MOST_LOOKS = 100_000
# Unlike Xing's, this header has a fixed place: 32 bytes after that of the frame.
VBRI_AT, VBRI_FRAMES = 36, 14

Content = bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its position, its size in bytes, and its four-byte header."""

    at: int
    size: int
    header: bytes

    @property
    def samples(self) -> int:
        """The number of samples per channel."""
        return 1152 if self.header[1] & 0x18 == 0x18 else 576

    @property
    def side_bytes(self) -> int:
        """The length in bytes of the side information, which the Xing header follows."""
        is_mpeg1, is_mono = self.header[1] & 0x18 == 0x18, self.header[3] & 0xC0 == 0xC0
        return (17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17)


def frame_at(content: Content, at: int) -> Frame | None:
    """Return the frame at a position; None if there is none, or one of free format, which states no size."""
    header = content[at : at + 4]
    if len(header) < 4 or not SYNC.match(header):
        return None
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
    kilobits = KILOBITS[3 if version == 3 else 2][header[2] >> 4]
    if not kilobits or rate == 3:
        return None
    # A frame has 1152 samples in MPEG 1 and 576 otherwise; an eighth of that turns the bit rate into bytes.
    size = (144 if version == 3 else 72) * kilobits * 1000 // RATES[version][rate] + (header[2] >> 1 & 1)
    return Frame(at, size, header)


def frames_of(content: Content, start: int = 0) -> Iterator[Frame]:
    """Yield the frames from the first run of consistent ones on, across gaps such as tags."""
    at, looks = start, iter(range(MOST_LOOKS))
    while frame := _next_frame(content, at, looks):
        while frame is not None:
            yield frame
            at = frame.at + frame.size
            frame = frame_at(content, at)


def corrected_mp3(file: BinaryIO, size: int) -> tuple[Segment, ...] | None:
    """Return the file with the true frame count in its first frame; None if it states enough frames already."""
    content = _content(file)
    first = next(frames_of(content, after_id3(content)), None)
    if first is None:
        return None
    count = _count(content, first.at + first.size)
    place = _count_place(content, first)
    if place is None:
        # Without such a header, the first frame has audio and counts too.
        return Window(0, first.at), info_frame(first, count + 1), Window(first.at, size)
    claimed = int.from_bytes(content[place : place + 4], "big")
    stated_bytes = _stated_bytes(content, first, place)
    if claimed >= count and stated_bytes in (None, size - first.at):
        return None
    # Too high a count does no harm, since decoding stops at the end of the file.
    right = max(claimed, count).to_bytes(4, "big")
    if stated_bytes is None:
        return Window(0, place), right, Window(place + 4, size)
    return Window(0, place), right + (size - first.at).to_bytes(4, "big"), Window(place + 8, size)


def _count(content: Content, start: int) -> int:
    """Count the frames; past MOST_FRAMES, overestimate the rest, which does no harm and saves time."""
    count, end = 0, start
    for frame in islice(frames_of(content, start), MOST_FRAMES):
        count, end = count + 1, frame.at + frame.size
    return count if count < MOST_FRAMES else count + (len(content) - end) // SMALLEST_FRAME


def _content(file: BinaryIO) -> Content:
    """Return all bytes; a file on disk is mapped into memory instead of read."""
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    # A file in memory has no descriptor, and an empty file cannot be mapped.
    except (OSError, ValueError, io.UnsupportedOperation):
        file.seek(0)
        return file.read()


def _next_frame(content: Content, at: int, looks: Iterator[int]) -> Frame | None:
    """Return the next frame that consistent ones follow; None if there is none or after MOST_LOOKS attempts."""
    for found, _ in zip(SYNC.finditer(content, at), looks, strict=False):
        frame = frame_at(content, found.start())
        if frame and _goes_on(content, frame):
            return frame
    return None


def _goes_on(content: Content, frame: Frame) -> bool:
    """Tell whether frames of the same version and layer follow, or the file ends."""
    for _ in range(CERTAIN - 1):
        at = frame.at + frame.size
        if at >= len(content):
            return True
        following = frame_at(content, at)
        # The lowest bit only states whether a CRC follows.
        if following is None or following.header[1] & 0xFE != frame.header[1] & 0xFE:
            return False
        frame = following
    return True


def after_id3(content: Content) -> int:
    """Return the position after the ID3 tag at the start of an MP3; 0 without one."""
    return ID3_HEADER + from_synchsafe(content[6:10]) if content[:3] == b"ID3" and len(content) >= ID3_HEADER else 0


def from_synchsafe(four: bytes) -> int:
    """Return the value of a synchsafe integer: four bytes of seven bits, as in ID3 tags."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=False))


def _count_place(content: Content, first: Frame) -> int | None:
    """Return the position of the frame count in the first frame; None if it has none."""
    at = first.at + 4 + first.side_bytes
    if content[at : at + 4] in XING:
        return at + 8 if _flags(content, at) & HAS_FRAMES else None
    at = first.at + VBRI_AT
    return at + VBRI_FRAMES if content[at : at + 4] == b"VBRI" else None


def _flags(content: Content, tag_at: int) -> int:
    return int.from_bytes(content[tag_at + 4 : tag_at + 8], "big")


def _stated_bytes(content: Content, first: Frame, count_place: int) -> int | None:
    """Return the byte count in a Xing header, which decoders check too; None if it has none."""
    at = first.at + 4 + first.side_bytes
    if content[at : at + 4] == b"VBRI" or count_place != at + 8 or not _flags(content, at) & HAS_BYTES:
        return None
    return int.from_bytes(content[count_place + 4 : count_place + 8], "big")


def info_frame(like: Frame, count: int) -> bytes:
    """Return a silent frame with an Info header that states the number of frames, to go before the first frame."""
    # The protection bit means that no CRC follows, which would have to match the new content.
    header = bytes((like.header[0], like.header[1] | 1, like.header[2], like.header[3]))
    tag = b"Info" + HAS_FRAMES.to_bytes(4, "big") + count.to_bytes(4, "big")
    return (header + bytes(like.side_bytes) + tag).ljust(like.size, b"\0")
