"""Checks at the start: folders, open files, and settings that look like a mistake, which the log then says."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith.config import FILE_VARIABLE, Settings
from tunesmith.errors import DatabaseError, FolderUnavailable, InvalidRequest
from tunesmith.jobs.folders import ensure_folder
from tunesmith.library.database import Database
from tunesmith.suggestions import near_names

PREFIX = "TUNESMITH_"
OF_CLIENTS = ("TUNESMITH_TOKEN", "TUNESMITH_URL")
ALIKE = 0.85
"""How like a setting's name another must be to be taken for a slip of the pen: programs may have variables too."""


def config_warnings(environment: Mapping[str, str]) -> Iterator[str]:
    """Give a line for each."""
    file = environment.get(FILE_VARIABLE)
    if file and not Path(file).exists():
        yield f"there is no file {file}, which {FILE_VARIABLE} names: the defaults hold"
    yield from misspelt_variables(environment)


def misspelt_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each variable that is nearly called like a setting."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in (*known, *OF_CLIENTS):
            for meant in near_names(name, known, cutoff=ALIKE):
                yield f"{name} is no setting and changes nothing; did you mean {meant}?"


SUBFOLDERS = ("results", "results/incoming", "inputs", "files")
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
    for name in SUBFOLDERS:
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


RESERVED_DESCRIPTORS = 256
"""Open files kept free for the database, the runners, files that are read and written, and webhooks."""

WANTED_DESCRIPTORS = (65_536, 10_240)
"""The most first; each caller who waits or follows takes one. Usual limits are 1024 (Linux) and 256 (macOS)."""


def raise_descriptor_limit() -> None:
    """Let the process have as many open files as it may allow itself; Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in WANTED_DESCRIPTORS:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= limit:
            return
        with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


def connection_limit(wanted: int) -> int:
    """Return how many connections may be open: as many as wanted, or fewer where open files are scarce.

    Each may need a second descriptor, for the file that it is sent.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, (soft - min(RESERVED_DESCRIPTORS, soft // 2)) // 2)
