"""ResultFiles: the finished files, named by their SHA-256, and how long they are kept.

::

    results/
        incoming/          files being written; what is left there by a dead process is removed after an hour
        ab/ab12…           a result: written under incoming/, then renamed; synced soon after
        .lock              held while a result is put in its place, and while one is removed
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tunesmith.errors import InvalidRequest
from tunesmith.file_digest import file_sha256, is_sha256
from tunesmith.jobs.background_sync import BackgroundSync
from tunesmith.jobs.folders import ensure_folder, writing_to
from tunesmith.library.clock import Clock

GRACE_SECONDS = 3600.0
"""How long a result is kept whatever the limits are, for whoever asked for it to fetch it."""

SECONDS_A_DAY, BYTES_A_GIGABYTE = 86_400, 10**9


@dataclass(frozen=True, slots=True)
class Retention:
    """How long results are kept: ``days`` since their last job finished, and ``gigabytes`` (10^9) of them at most."""

    days: float
    gigabytes: float


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A result in its place."""

    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class _RetentionEntry:
    path: Path
    bytes: int
    used_at: float


class ResultFiles:
    """The folder of results. Safe to share between processes."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._incoming = folder / "incoming"
        self.prepare()
        self._lock = FileLock(folder / ".lock")
        self._sync = BackgroundSync()

    def prepare(self) -> None:
        """Make the folders again where they were removed; raises FolderUnavailable."""
        ensure_folder(self.folder)
        ensure_folder(self._incoming)

    @contextmanager
    def receive(self, suffix: str = "") -> Iterator[Path]:
        """Give a place to write a result to, and remove what is there if it was not kept."""
        path = self.new(suffix)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def new(self, suffix: str = "") -> Path:
        """Return where to write a result to, which is to be removed if it is not kept; nothing is there yet."""
        return self._incoming / f"{secrets.token_hex(16)}{suffix}"

    def keep(self, path: Path) -> StoredFile:
        """Move a file from where ``new`` or ``receive`` said to its place; it is synced to the disk soon after.

        Nobody waits for the disk: what a power cut within that moment cuts short, ``find`` takes for gone.
        Raises DiskFull, or FolderUnavailable where the folder was removed since.
        """
        with writing_to(self.folder, "the music"):
            digest, size = file_sha256(path), path.stat().st_size
            target = self._path(digest)
            ensure_folder(target.parent)
            os.utime(path, (self._clock(), self._clock()))  # the same bytes made again are young again
            # ``prune`` removes what is old: a file that was not there before is not, so it needs no lock.
            with self._lock if target.exists() else nullcontext():
                path.replace(target)
        self._sync.add(target)
        return StoredFile(digest, size)

    def add(self, content: bytes) -> StoredFile:
        """Keep bytes as a result."""
        self.prepare()
        with self.receive() as path:
            path.write_bytes(content)
            return self.keep(path)

    def find(self, digest: str, size: int | None = None) -> Path | None:
        """Return where a result is, or None where it is gone; raises InvalidRequest for what is no digest.

        ``size`` in bytes, where it is known, tells a file that a power cut has cut short, which counts as gone.
        """
        path = self._path(digest)
        about = _status(path)
        if about is None or not stat.S_ISREG(about.st_mode):
            return None
        is_whole = about.st_size > 0 if size is None else about.st_size == size
        return path if is_whole else None

    def prune(self, retention: Retention, used: Mapping[str, float], most: int | None = None) -> tuple[str, ...]:
        """Remove what is too old, then the oldest while all are too large; return the digests removed, at most so many.

        ``used`` says when each result's last job finished; a file without a job counts from when it was written. What
        was used within ``GRACE_SECONDS`` is kept.
        """
        self.prepare()
        self._remove_leftovers()
        now = self._clock()
        kept = sorted(self._results(used, now), key=lambda one: one.used_at)
        room = sum(one.bytes for one in kept) - retention.gigabytes * BYTES_A_GIGABYTE
        removed: list[str] = []
        for one in kept:
            if len(removed) == most:
                break
            too_old = now - one.used_at > retention.days * SECONDS_A_DAY
            if now - one.used_at > GRACE_SECONDS and (too_old or room > 0) and self._remove(one, now):
                removed.append(one.path.name)
                room -= one.bytes
        return tuple(removed)

    def _path(self, digest: str) -> Path:
        if not is_sha256(digest):
            raise InvalidRequest("digest", f"must be 64 hexadecimal digits, got {digest[:80]!r}")
        return self.folder / digest[:2] / digest

    def _results(self, used: Mapping[str, float], now: float) -> Iterator[_RetentionEntry]:
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            about = _status(path)
            if about is not None and is_sha256(path.name) and stat.S_ISREG(about.st_mode):
                times = (about.st_mtime, used.get(path.name, 0.0))
                known = [at for at in times if at <= now + GRACE_SECONDS]
                if about.st_mtime not in known:  # written while the clock was ahead: it would be young for as long
                    with suppress(FileNotFoundError):
                        os.utime(path, (now, now))
                yield _RetentionEntry(path, about.st_size, max(known, default=now))

    def _remove(self, one: _RetentionEntry, now: float) -> bool:
        """Remove a result unless it was made again, or removed by another, since it was looked at."""
        with self._lock:
            about = _status(one.path)
            if about is None or now - about.st_mtime <= GRACE_SECONDS:
                return False
            one.path.unlink()
        return True

    def _remove_leftovers(self) -> None:
        for path in self._incoming.iterdir():
            about = _status(path)
            if about is not None and self._clock() - about.st_mtime > GRACE_SECONDS:
                path.unlink(missing_ok=True)


def _status(path: Path) -> os.stat_result | None:
    """Return what the system says of a file or link itself, None where another process has just removed it."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
