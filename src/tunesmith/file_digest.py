"""SHA-256 digests of files, which identify content regardless of its name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in bounded memory; raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in hexadecimal, as in the names of content-addressed files."""
    return _SHA256.fullmatch(text) is not None
