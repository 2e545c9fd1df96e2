"""Atomic file writes: a temporary file that an atomic rename puts in place once complete."""

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
"""The permissions of a new file before the umask; the system's temporary files would have fewer."""


@contextlib.contextmanager
def atomic_path(
    path: Path, *, mode: int = NEW_FILE, lock: AbstractContextManager[object] | None = None
) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, with its suffix; rename it to ``path`` on success, else delete it.

    A symbolic link stays: its target is replaced. ``lock`` is held only during the rename.
    Raises OSError.
    """
    final = path.resolve()
    # In the same folder, since a rename is atomic only within one file system.
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
    """Open a file for an atomic write; on failure, an existing file stays as it was. Raises OSError."""
    # A device such as /dev/stdout must be written to, not replaced.
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        yield file


@contextlib.contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Yield a temporary path as :func:`atomic_path` does; raise AudioFileError or DiskFull for ``output``."""
    check_folder_writable(path)
    try:
        with atomic_path(path) as temporary:
            yield temporary
    except OSError as error:
        kind = DiskFull if is_full(error) else AudioFileError
        raise kind(f"output: cannot write {path}: {error.strerror}") from error


def check_folder_writable(path: Path) -> None:
    """Raise AudioFileError if a file cannot be written to ``path``, before minutes of work."""
    if path.is_dir():
        raise AudioFileError(f"output: cannot write {path}: it is a folder")
    # A rename would replace a read-only file too, so respect its permissions here.
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise AudioFileError(f"output: cannot write {path}: it is read-only")
    if not path.parent.is_dir():
        raise AudioFileError(f"output: cannot write {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise AudioFileError(f"output: cannot write {path}: no permission to write in {path.parent}")
