"""The data model of tags: their values, and their names in each format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Tags = Mapping[str, tuple[str, ...]]
"""Values by tag name, which is that of the Vorbis comment in lower case."""

OWN = "tunesmith"
"""The name of the Vorbis comment or ID3 frame with Tunesmith's own metadata as JSON."""

LOOP_START, LOOP_LENGTH = "loopstart", "looplength"

INFO_CHUNKS: Mapping[str, bytes] = {
    "title": b"INAM", "artist": b"IART", "album": b"IPRD", "date": b"ICRD", "tracknumber": b"ITRK", "genre": b"IGNR",
    "comment": b"ICMT", "copyright": b"ICOP", "software": b"ISFT", "composer": b"IMUS", "publisher": b"IPUB",
    "lyricist": b"IWRI", "language": b"ILNG", "isrc": b"ISRC", "engineer": b"IENG", "keywords": b"IKEY",
    "subject": b"ISBJ", "technician": b"ITCH", "medium": b"IMED", "commissioned": b"ICMS",
}  # fmt: skip
"""Entries of a WAV file's ``LIST INFO`` chunk."""
INFO_ALIASES: Mapping[bytes, str] = {b"IPRT": "tracknumber", b"TRCK": "tracknumber", b"TITL": "title", b"YEAR": "date"}

ID3_FRAMES: Mapping[str, bytes] = {
    "title": b"TIT2", "artist": b"TPE1", "album": b"TALB", "date": b"TDRC", "genre": b"TCON", "copyright": b"TCOP",
    "albumartist": b"TPE2", "composer": b"TCOM", "conductor": b"TPE3", "lyricist": b"TEXT", "publisher": b"TPUB",
    "isrc": b"TSRC", "bpm": b"TBPM", "key": b"TKEY", "language": b"TLAN", "software": b"TSSE", "media": b"TMED",
    "discsubtitle": b"TSST", "grouping": b"TIT1", "mood": b"TMOO",
}  # fmt: skip
"""Text frames of ID3v2.4; ``tracknumber``, ``discnumber``, ``comment``, ``lyrics`` and ``website`` have their own
forms, and every other name is a ``TXXX`` frame."""

READER_NAMES: Mapping[str, str] = {
    "year": "date", "track": "tracknumber", "track_total": "tracktotal", "disc": "discnumber",
    "disc_total": "disctotal", "url": "website", "initial_key": "key", "set_subtitle": "discsubtitle",
    "catalog_number": "catalognumber", "movement_name": "movementname", "movement_total": "movementtotal",
    "show_movement": "showmovement", "tmoo": "mood",
}  # fmt: skip
"""Our tag names by tinytag's."""

TECHNICAL = frozenset(
    {"encoded_by", "encodedby", "encoder", "encoder_settings", "encodersettings", "encoder_options", "tlen", "length",
     "tdtg", "tden", "tflt", "tdly", "itunsmpb", "itunnorm", "itunpgap", "waveformatextensible_channel_mask"}
)  # fmt: skip
"""Tags that describe the encoding of one file and are wrong in any other."""
LOUDNESS = ("replaygain_", "r128_")
"""Prefixes of tags that state a loudness; a change of level makes them wrong."""

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, which have no place in text and which a terminal or a header would obey."""

MAX_VALUE_CHARACTERS, MAX_TAGS_CHARACTERS = 65_536, 1_000_000


def tags_from(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the tags of (name, value) pairs: names in lower case, values in order and without duplicates."""
    found: dict[str, tuple[str, ...]] = {}
    characters = 0
    for name, value in pairs:
        text = CONTROLS.sub("", value).strip()
        characters += len(text)
        known = found.get(name.lower(), ())
        # A hostile file must not fill the memory or the database.
        if text and text not in known and len(text) <= MAX_VALUE_CHARACTERS and characters <= MAX_TAGS_CHARACTERS:
            found[name.lower()] = (*known, text)
    return found
