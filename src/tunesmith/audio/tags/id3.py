"""ID3 tags: writes version 2.4, and converts older versions to a form that the tag reader understands.

A tag (id3.org/id3v2.4.0-structure) is a header of ten bytes, frames, and padding; its sizes are synchsafe integers,
with seven bits per byte.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tunesmith.audio.mp3_frames import ID3_HEADER, from_synchsafe
from tunesmith.audio.tags.model import ID3_FRAMES, Tags
from tunesmith.files import atomic_write

UTF8 = b"\x03"
# Flags in the header of a tag (ID3v2.3, 3.1).
UNSYNCHRONISED, EXTENDED = 0x80, 0x40
NUMBERS = {"tracknumber": (b"TRCK", "tracktotal"), "discnumber": (b"TPOS", "disctotal")}
TOTALS = {"tracktotal": "tracknumber", "disctotal": "discnumber"}
WITH_LANGUAGE = {"comment": b"COMM", "lyrics": b"USLT"}
URL = re.compile(r"https?://[\x21-\x7e]+")
OTHER_FRAME = re.compile(r"tso[apt]|tdor|tdrl|toal|tofn|toly|tope|town|trs[no]|tpro|tipl|tmcl")
"""Text frames that the tag reader reports under their own names."""


def id3_tag(tags: Tags) -> bytes:
    """Return an ID3v2.4 tag, empty without tags; zero bytes separate the values of a frame."""
    frames = b"".join(_frames(tags))
    return b"ID3\x04\0\0" + synchsafe(len(frames)) + frames if frames else b""


def prepend_id3_tag(path: Path, tags: Tags) -> None:
    """Prepend an ID3v2.4 tag to an MP3 file, by an atomic rename."""
    with atomic_write(path) as file, path.open("rb") as sound:
        file.write(id3_tag(tags))
        shutil.copyfileobj(sound, file)


def plain_tag(tag: bytes) -> bytes:
    """Return a tag of version 2.2 or 2.3 without unsynchronisation and extended header, others unchanged."""
    if tag[:3] != b"ID3" or len(tag) < ID3_HEADER or tag[3] not in (2, 3):
        return tag
    version, flags, body = tag[3], tag[5], tag[ID3_HEADER : ID3_HEADER + from_synchsafe(tag[6:10])]
    # Unsynchronisation inserts a zero after each 0xFF, so that no tag looks like an MPEG sync word.
    if flags & UNSYNCHRONISED:
        body = body.replace(b"\xff\0", b"\xff")
    if flags & EXTENDED and version == 3:
        body = body[4 + int.from_bytes(body[:4], "big") :]
    return b"ID3" + bytes((version, tag[4], 0)) + synchsafe(len(body)) + body


def synchsafe(number: int) -> bytes:
    """Return a number as a synchsafe integer: four bytes of seven bits."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _frames(tags: Tags) -> Iterator[bytes]:
    for name, values in tags.items():
        if name in NUMBERS:
            frame, total = NUMBERS[name]
            yield _frame(frame, _texts([f"{values[0]}/{tags[total][0]}" if total in tags else values[0]]))
        elif name in TOTALS and TOTALS[name] in tags:
            # The frame of its number has the total too.
            continue
        elif name in WITH_LANGUAGE:
            # There is one such frame per language and description, with one text; other values need TXXX.
            yield _frame(WITH_LANGUAGE[name], UTF8 + b"eng\0" + values[0].encode())
            if values[1:]:
                yield _custom(name, values[1:])
        elif name == "website" and URL.fullmatch(values[0]):
            yield _frame(b"WOAR", values[0].encode("latin-1"))
        else:
            yield _text_frame(name, values)


def _text_frame(name: str, values: tuple[str, ...]) -> bytes:
    known = ID3_FRAMES.get(name) or (name.upper().encode() if OTHER_FRAME.fullmatch(name) else None)
    return _frame(known, _texts(values)) if known else _custom(name, values)


def _frame(name: bytes, body: bytes) -> bytes:
    return name + synchsafe(len(body)) + b"\0\0" + body


def _custom(name: str, values: tuple[str, ...]) -> bytes:
    return _frame(b"TXXX", UTF8 + name.upper().encode() + b"\0" + "\0".join(values).encode())


def _texts(values: list[str] | tuple[str, ...]) -> bytes:
    return UTF8 + "\0".join(values).encode()
