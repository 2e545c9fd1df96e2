"""The broadcast extension chunk of WAV files (EBU Tech 3285), as tags whose names begin with ``bext_``.

0 description 256 · 256 originator 32 · 288 reference 32 · 320 date 10 · 330 time 8 · 338 time reference 8
· 346 version 2 · 348 UMID 64 · 412 loudness 10 · 422 reserved 180 · 602 coding history
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tunesmith.audio.tags.model import Tags
from tunesmith.audio.tags.riff import text_of

FIELDS: Mapping[str, tuple[int, int]] = {
    "bext_description": (0, 256), "bext_originator": (256, 32), "bext_originator_reference": (288, 32),
    "bext_origination_date": (320, 10), "bext_origination_time": (330, 8),
}  # fmt: skip
"""Offset and size in bytes by tag name. The time reference, the loudness and the coding history describe one file only
and are omitted."""
# The chunk up to its coding history, which may have any length (EBU Tech 3285).
FIXED_BYTES = 602


def bext_pairs(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the tags in the content of a ``bext`` chunk."""
    for name, (start, size) in FIELDS.items():
        if text := text_of(content[start : start + size]):
            yield name, text


def bext_chunk(tags: Tags) -> bytes:
    """Return the content of a ``bext`` chunk for the tags that it has fields for; empty if there are none."""
    if not tags.keys() & FIELDS.keys():
        return b""
    content = bytearray(FIXED_BYTES)
    for name, (start, size) in FIELDS.items():
        # EBU Tech 3285 defines the fields as ASCII of fixed size.
        text = "; ".join(tags.get(name, ())).encode("ascii", "replace")[:size]
        content[start : start + len(text)] = text
    return bytes(content)
