"""Entries of a zip archive that are stored uncompressed: the position of their content in the archive."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipInfo

from tunesmith.errors import ModelFileError

# The fixed part; the entry's name and an extra field follow.
LOCAL_HEADER_BYTES = 30


def content_offset(path: Path, entry: ZipInfo) -> int:
    """Return the byte of the archive where the entry's content begins.

    Raises ModelFileError if the archive ends before the content does.
    """
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(LOCAL_HEADER_BYTES)
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = entry.header_offset + LOCAL_HEADER_BYTES + lengths
    if start + entry.file_size > path.stat().st_size:
        raise ModelFileError(path.name, f"it is cut off inside {entry.filename}")
    return start
