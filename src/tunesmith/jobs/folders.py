"""Folders that may be removed while a server runs: they are recreated, or an error names them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.disk_full import disk_full_as_error, is_full
from tunesmith.errors import FolderUnavailable


def ensure_folder(folder: Path) -> None:
    """Create the folder if it is missing. Raises FolderUnavailable."""
    # Called for every job, and a Path takes longer to build than the check.
    if os.path.isdir(folder):  # noqa: PTH112
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unavailable(folder, error) from error


@contextmanager
def writing_to(folder: Path, what: str) -> Iterator[None]:
    """Create the folder for a block that writes to it. Raises FolderUnavailable, or DiskFull, which names ``what``."""
    ensure_folder(folder)
    try:
        with disk_full_as_error(what):
            yield
    except OSError as error:
        if is_full(error):
            raise
        raise _unavailable(folder, error) from error


def _unavailable(folder: Path, error: OSError) -> FolderUnavailable:
    return FolderUnavailable(folder, error.strerror or type(error).__name__)
