"""Files that are there whole or not at all: written under another name, and renamed when all is written."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from tunesmith.disk_full import is_full
from tunesmith.errors import AudioFileError, DiskFull

NEW_FILE = 0o666
"""The permissions of any new file, less what the process masks; temporary files of the system have fewer."""


@contextlib.contextmanager
def atomic_path(
    path: Path, *, mode: int = NEW_FILE, lock: AbstractContextManager[object] | None = None
) -> Iterator[Path]:
    """Give a temporary path beside ``path``, with its suffix; it becomes ``path`` on success and is removed otherwise.

    A link stays a link: the file it leads to is replaced. ``lock`` is held only during the replacement.
    Raises OSError.
    """
    final = path.resolve()
    temporary = final.with_name(f".{final.stem[:40]}-{secrets.token_hex(4)}.part{final.suffix[:20]}")
    temporary.touch(mode, exist_ok=False)
    try:
        yield temporary
        with lock or contextlib.nullcontext():
            temporary.replace(final)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name when all is written; what was there stays where that fails. Raises OSError."""
    # Such as /dev/stdout, which is to be written to and not replaced.
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        yield file


@contextlib.contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Give a temporary path as :func:`atomic_path` does; raises AudioFileError, or DiskFull, that names ``output``."""
    check_folder_writable(path)
    try:
        with atomic_path(path) as temporary:
            yield temporary
    except OSError as error:
        kind = DiskFull if is_full(error) else AudioFileError
        raise kind(f"output: cannot write {path}: {error.strerror}") from error


def check_folder_writable(path: Path) -> None:
    """Raise AudioFileError where a file cannot be written to ``path``, before minutes of work."""
    if path.is_dir():
        raise AudioFileError(f"output: cannot write {path}: it is a folder")
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise AudioFileError(f"output: cannot write {path}: it is read-only")
    if not path.parent.is_dir():
        raise AudioFileError(f"output: cannot write {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise AudioFileError(f"output: cannot write {path}: no permission to write in {path.parent}")
