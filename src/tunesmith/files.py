"""Files: atomic writes, digests that identify content, and full disks."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from tunesmith.errors import AudioFileError, DiskFull

_SHA256 = re.compile(r"[0-9a-f]{64}")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in bounded memory; raise OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in hexadecimal, as in the names of content-addressed files."""
    return _SHA256.fullmatch(text) is not None


def sync_path(path: Path) -> None:
    """Write a file, or a folder's entries, through to the disk; raise OSError."""
    if os.name == "nt" and path.is_dir():
        # Windows cannot fsync a folder and does not need to.
        return
    # Windows can flush only a file that is open for writing.
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Tell whether an error means that the disk or the user's quota is full."""
    return isinstance(error, OSError) and error.errno in FULL


@contextmanager
def disk_full_as_error(what: str) -> Iterator[None]:
    """Turn the error of a full disk into DiskFull, which names ``what`` could not be kept, but no path."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"the disk is full: {what} could not be stored") from error
        raise


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
