"""Paths as text: on Linux, file names are bytes, and some are not valid UTF-8, which JSON, databases and HTTP require.

A path in UTF-8 is its own text; any other becomes a ``file:`` URL with percent-encoded bytes, which decodes to the same
bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

SCHEME = "file:"


def path_text(path: str | os.PathLike[str]) -> str:
    """Return a path as text that is valid in every encoding of Unicode."""
    text = os.fspath(path)
    # A path that begins like a URL is encoded too, so that decoding is unambiguous.
    if is_text(text) and not text.startswith(SCHEME):
        return text
    return SCHEME + quote_from_bytes(os.fsencode(text))


def path_of(text: str) -> Path:
    """Return the path that ``path_text`` encoded."""
    if not text.startswith(SCHEME):
        return Path(text)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(SCHEME))))


def is_text(text: str) -> bool:
    """Tell whether a text has no lone surrogates, which stand for invalid UTF-8 bytes in file names."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def library_path(path: Path) -> str | bytes:
    """Return a path for libraries that encode text strictly: its bytes, or its text on Windows."""
    return str(path) if os.name == "nt" else os.fsencode(path)
