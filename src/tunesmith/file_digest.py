"""Digests of files: what tells the same content from any other, under whatever name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal, read in bounded memory; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in hexadecimal, as files that are named by their content have it."""
    return _SHA256.fullmatch(text) is not None
