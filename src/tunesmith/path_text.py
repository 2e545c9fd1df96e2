"""Paths as text: names of files are bytes on Linux, and some are not UTF-8, which JSON, databases and HTTP need.

A path in UTF-8 is its own text; any other is written as a ``file:`` address with its bytes in percent form, which no
path looks like, and read back to the same bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

SCHEME = "file:"


def path_text(path: str | os.PathLike[str]) -> str:
    """Return a path as text that every encoding has."""
    text = os.fspath(path)
    if is_text(text) and not text.startswith(SCHEME):
        return text
    return SCHEME + quote_from_bytes(os.fsencode(text))


def path_of(text: str) -> Path:
    """Return the path that ``path_text`` wrote."""
    if not text.startswith(SCHEME):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(SCHEME))))


def is_text(text: str) -> bool:
    """Whether a text has no half surrogate pairs, which stand for bytes that are not UTF-8 in names of files."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def library_path(path: Path) -> str | bytes:
    """Return a path as a library takes it that would encode text strictly: the bytes of its name, but on Windows."""
    return str(path) if os.name == "nt" else os.fsencode(path)
