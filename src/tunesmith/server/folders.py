"""Folders: what the server writes to, looked at before it starts, since a job that cannot be kept is worth nothing."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith.errors import DatabaseError, FolderUnavailable, InvalidRequest
from tunesmith.jobs.folders import ensure_folder
from tunesmith.library.database import Database

KEPT = ("results", "results/incoming", "inputs", "files")
"""Below the data folder: what is made, recordings handed in, and the files of Replicate's clients."""


def check_writable(data_dir: Path, database: Database) -> None:
    """Make the folders where they are missing; raises InvalidRequest or DatabaseError for what cannot be written to."""
    if database.is_sqlite:
        _check_file(Path(database.where))
    try:
        prepare_folders(data_dir)
    except FolderUnavailable as error:
        raise InvalidRequest("setting data_dir", str(error)) from None


def prepare_folders(data_dir: Path) -> None:
    """Make the folders where they are missing; raises FolderUnavailable."""
    for name in KEPT:
        folder = data_dir / name
        ensure_folder(folder)
        if not _can_add_to(folder):
            raise FolderUnavailable(folder, f"it cannot be written to; {_whose(folder)}")


def _check_file(file: Path) -> None:
    """SQLite needs its folder as well, for the log beside the file."""
    for path, fits in ((file, os.access(file, os.R_OK | os.W_OK)), (file.parent, _can_add_to(file.parent))):
        if not fits:
            raise DatabaseError(str(file), f"cannot be written to, because {path} cannot; {_whose(path)}")


def _can_add_to(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _whose(path: Path) -> str:
    """Say who may, which is what is wrong nearly always: somebody else ran a command over the same folder before."""
    try:
        return f"it belongs to {path.owner()}"
    except (KeyError, NotImplementedError, OSError):
        return "check its owner and permissions"
