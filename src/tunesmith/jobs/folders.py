"""Folders that may disappear while a server runs: they are made again, or an error names them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunesmith.disk_full import disk_full_as_error, is_full
from tunesmith.errors import FolderUnavailable


def ensure_folder(folder: Path) -> None:
    """Make the folder where it is missing; raises FolderUnavailable."""
    if os.path.isdir(folder):  # noqa: PTH112  every job asks, and a Path takes longer than the answer
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unavailable(folder, error) from error


@contextmanager
def writing_to(folder: Path, what: str) -> Iterator[None]:
    """Make the folder and let the block write to it; raises FolderUnavailable, or DiskFull about ``what``."""
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
