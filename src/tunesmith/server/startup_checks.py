"""Startup checks: folders, open files, and settings that look like mistakes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith.config import FILE_VARIABLE, misspelt_variables
from tunesmith.errors import DatabaseError, FolderUnavailable, InvalidRequest
from tunesmith.jobs.results import ensure_folder
from tunesmith.library.database import Database


def config_warnings(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each suspicious setting in the environment."""
    file = environment.get(FILE_VARIABLE)
    if file and not Path(file).exists():
        yield f"there is no file {file}, which {FILE_VARIABLE} names: the defaults hold"
    yield from misspelt_variables(environment)


SUBFOLDERS = ("results", "results/incoming", "inputs", "files")
"""Folders in the data folder: results, submitted recordings, and the files of Replicate clients."""


def check_writable(data_dir: Path, database: Database) -> None:
    """Create missing folders. Raises InvalidRequest or DatabaseError if something is not writable."""
    if database.is_sqlite:
        _check_file(Path(database.where))
    try:
        prepare_folders(data_dir)
    except FolderUnavailable as error:
        raise InvalidRequest("setting data_dir", str(error)) from None


def prepare_folders(data_dir: Path) -> None:
    """Create missing folders. Raises FolderUnavailable."""
    for name in SUBFOLDERS:
        folder = data_dir / name
        ensure_folder(folder)
        if not _can_add_to(folder):
            raise FolderUnavailable(folder, f"it cannot be written to; {_whose(folder)}")


def _check_file(file: Path) -> None:
    """Check that the file and its folder are writable; SQLite needs the folder for its log."""
    for path, fits in ((file, os.access(file, os.R_OK | os.W_OK)), (file.parent, _can_add_to(file.parent))):
        if not fits:
            raise DatabaseError(str(file), f"cannot be written to, because {path} cannot; {_whose(path)}")


def _can_add_to(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _whose(path: Path) -> str:
    """Return the owner as a hint: most often another user ran a command in the same folder before."""
    try:
        return f"it belongs to {path.owner()}"
    except (KeyError, NotImplementedError, OSError):
        return "check its owner and permissions"


RESERVED_DESCRIPTORS = 256
"""Descriptors reserved for the database, runners, files and webhooks."""

WANTED_DESCRIPTORS = (65_536, 10_240)
"""The limits to try, highest first; each waiting caller takes one. Defaults are 1024 (Linux) and 256 (macOS)."""


def raise_descriptor_limit() -> None:
    """Raise the process's limit of open files as far as the system allows; Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in WANTED_DESCRIPTORS:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= limit:
            return
        # macOS accepts less than its hard limit states.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


def connection_limit(wanted: int) -> int:
    """Return the limit of open connections: ``wanted``, or fewer if descriptors are scarce.

    Each may need a second descriptor, for the file it receives.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    # Reserve at most half: even a low limit must leave room for connections.
    return min(wanted, (soft - min(RESERVED_DESCRIPTORS, soft // 2)) // 2)
