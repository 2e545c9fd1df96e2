"""What a sound file says about itself: Tunesmith's metadata as the tags of each format, and back.

libsndfile keeps every tag in FLAC, Vorbis and Opus comments. In WAV it drops long comments, and in MP3 it writes
UTF-8 as Latin-1, so those two get their tags from here: a RIFF ``LIST INFO`` chunk behind the sound, an ID3v2.4 tag
before it (id3.org/id3v2.4.0-structure).
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

INFO_CHUNKS: Mapping[str, bytes] = {
    "title": b"INAM", "artist": b"IART", "comment": b"ICMT",
    "copyright": b"ICOP", "genre": b"IGNR", "software": b"ISFT",
}  # fmt: skip
ID3_FRAMES: Mapping[str, bytes] = {
    "title": b"TIT2", "artist": b"TPE1", "comment": b"COMM",
    "copyright": b"TCOP", "genre": b"TCON", "software": b"TSSE",
}  # fmt: skip
UTF8 = b"\x03"


def tags_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags for people (title, artist …) and, as JSON in ``comment``, all of the metadata for machines."""
    licence = str(metadata.get("licence", ""))
    tags = {
        "title": str(metadata.get("title") or metadata.get("prompt") or "")[:200],
        "artist": "Tunesmith" + (f" ({metadata['model']})" if metadata.get("model") else ""),
        "copyright": licence,
        "license": licence,
        "genre": str(metadata.get("genre", "")),
        "software": "Tunesmith",
        "comment": json.dumps(dict(metadata), ensure_ascii=False, separators=(",", ":"), default=str),
    }
    return {name: text.replace("\0", "") for name, text in tags.items() if text}


def metadata_of(tags: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata that :func:`tags_of` wrote, or the tags themselves for a file made elsewhere."""
    try:
        metadata = json.loads(tags.get("comment", ""))
    except ValueError:
        return dict(tags)
    return metadata if isinstance(metadata, dict) else dict(tags)


def append_info_chunk(path: Path, tags: Mapping[str, str]) -> None:
    """Put a ``LIST INFO`` chunk behind the sound of a WAV file and correct the length in its header."""
    body = b"INFO"
    for name, chunk in INFO_CHUNKS.items():
        if name in tags:
            text = tags[name].encode() + b"\0"
            body += chunk + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.write(b"\0" * (end % 2) + b"LIST" + struct.pack("<I", len(body)) + body)
        length = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", length))


def read_info_chunk(file: BinaryIO) -> dict[str, str]:
    """Read the tags of a WAV file's ``LIST INFO`` chunk; none when there is no such chunk."""
    if file.read(4) != b"RIFF":
        return {}
    file.seek(12)
    while len(header := file.read(8)) == 8:
        name, length = header[:4], struct.unpack("<I", header[4:])[0]
        if name == b"LIST" and file.read(4) == b"INFO":
            return _info_texts(file.read(length - 4))
        file.seek(length + length % 2 - (4 if name == b"LIST" else 0), 1)
    return {}


def _info_texts(body: bytes) -> dict[str, str]:
    names = {chunk: name for name, chunk in INFO_CHUNKS.items()}
    tags: dict[str, str] = {}
    at = 0
    while at + 8 <= len(body):
        chunk, length = body[at : at + 4], struct.unpack("<I", body[at + 4 : at + 8])[0]
        if chunk in names:
            tags[names[chunk]] = body[at + 8 : at + 8 + length].rstrip(b"\0").decode(errors="replace")
        at += 8 + length + length % 2
    return tags


def id3_tag(tags: Mapping[str, str]) -> bytes:
    """Return the ID3v2.4 tag to put before the sound of an MP3 file."""
    frames = b""
    for name, frame in ID3_FRAMES.items():
        if name in tags:
            language = b"eng\0" if frame == b"COMM" else b""
            body = UTF8 + language + tags[name].encode()
            frames += frame + _synchsafe(len(body)) + b"\0\0" + body
    return b"ID3\x04\0\0" + _synchsafe(len(frames)) + frames


def prepend_id3_tag(path: Path, tags: Mapping[str, str]) -> None:
    """Put the tag before the sound of an MP3 file, through a second file beside it."""
    tagged = path.with_name(path.name + ".tagged")
    try:
        with path.open("rb") as sound, tagged.open("wb") as file:
            file.write(id3_tag(tags))
            shutil.copyfileobj(sound, file)
        tagged.replace(path)
    finally:
        tagged.unlink(missing_ok=True)


def read_id3_tag(file: BinaryIO) -> dict[str, str]:
    """Read the UTF-8 frames of an ID3v2.4 tag; none when the file starts with something else."""
    header = file.read(10)
    if header[:4] != b"ID3\x04":
        return {}
    body = file.read(_from_synchsafe(header[6:10]))
    names = {frame: name for name, frame in ID3_FRAMES.items()}
    tags: dict[str, str] = {}
    at = 0
    while at + 10 <= len(body) and body[at] != 0:
        frame, length = body[at : at + 4], _from_synchsafe(body[at + 4 : at + 8])
        text = body[at + 10 : at + 10 + length]
        if frame in names and text[:1] == UTF8:
            text = text[5:] if frame == b"COMM" else text[1:]
            tags[names[frame]] = text.rstrip(b"\0").decode(errors="replace")
        at += 10 + length
    return tags


def _synchsafe(number: int) -> bytes:
    """Seven bits a byte, as ID3 writes lengths."""
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _from_synchsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=False))
