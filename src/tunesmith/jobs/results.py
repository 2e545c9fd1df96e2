"""ResultFiles: finished files, addressed by their SHA-256, their retention, and their sync to the disk.

::

    results/
        incoming/          files being written; what is left there by a dead process is removed after an hour
        ab/ab12…           a result: written under incoming/, then renamed; synced soon after
        ab/ab12….outline   its outline for drawing, measured on demand, removed with it
        .lock              held while a result is put in its place, and while one is removed
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tunesmith.errors import FolderUnavailable, InvalidRequest
from tunesmith.files import disk_full_as_error, file_sha256, is_full, is_sha256, sync_path
from tunesmith.library.clock import Clock


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


DELAY_SECONDS = 0.2
"""The batch interval in seconds; a power cut may lose files younger than this."""

log = logging.getLogger("tunesmith.server")


class BackgroundSync:
    """A thread that syncs files and their folders to the disk. Thread-safe.

    The interpreter waits for it at exit, so that no file is left unsynced.
    """

    def __init__(self, delay: float = DELAY_SECONDS) -> None:
        self._delay = delay
        self._thread = ThreadPoolExecutor(1, "sync")
        self._lock = threading.Lock()
        self._paths: set[Path] = set()
        self._scheduled: Future[None] | None = None

    def add(self, path: Path) -> None:
        """Schedule a file to be synced; does not block."""
        with self._lock:
            self._paths.add(path)
            if self._scheduled is None:
                self._scheduled = self._thread.submit(self._sync_batch)

    def flush(self) -> None:
        """Block until every file added so far is on the disk."""
        with self._lock:
            scheduled = self._scheduled
        if scheduled is not None:
            scheduled.result()

    def _sync_batch(self) -> None:
        time.sleep(self._delay)
        with self._lock:
            # Reset under the same lock as add(): a file added from now on schedules the next batch.
            paths, self._paths, self._scheduled = self._paths, set(), None
        # Files before folders: a directory entry that survives a power cut must name complete data.
        for path in (*sorted(paths), *sorted({path.parent for path in paths})):
            sync(path)


def sync(path: Path) -> None:
    """Write a file, or a folder's entries, through to the disk; a file that no longer exists is skipped.

    An error is logged and not raised, because the caller has already served the file.
    """
    try:
        sync_path(path)
    except FileNotFoundError:
        return
    except OSError as error:
        log.error("cannot sync %s: %s", path, error.strerror)


GRACE_SECONDS = 3600.0
"""The grace period in seconds in which a result is kept whatever the limits, so that its caller can download it."""

SECONDS_A_DAY, BYTES_A_GIGABYTE = 86_400, 10**9

OUTLINE_SUFFIX = ".outline"
"""The end of the name of what is kept beside a result for drawing it."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Limits of retention: ``days`` since a result's last job finished, and ``gigabytes`` (10⁹ bytes) in all."""

    days: float
    gigabytes: float


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored result: its SHA-256 ``digest`` and its size in bytes."""

    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class _RetentionEntry:
    path: Path
    bytes: int
    used_at: float


class ResultFiles:
    """The content-addressed folder of results. Safe to share between processes."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._incoming = folder / "incoming"
        self.prepare()
        # A lock in the file system, because several servers may share the folder.
        self._lock = FileLock(folder / ".lock")
        self._sync = BackgroundSync()

    def prepare(self) -> None:
        """Create the folders if they are missing. Raises FolderUnavailable."""
        ensure_folder(self.folder)
        ensure_folder(self._incoming)

    @contextmanager
    def receive(self, suffix: str = "") -> Iterator[Path]:
        """Yield a path to write a result to, and remove the file afterwards unless it was kept."""
        path = self.new(suffix)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def new(self, suffix: str = "") -> Path:
        """Return a new path to write a result to; the caller removes the file unless it is kept."""
        # Random, so that processes need no lock to stay apart.
        return self._incoming / f"{secrets.token_hex(16)}{suffix}"

    def keep(self, path: Path) -> StoredFile:
        """Move a file from the path of ``new`` or ``receive`` into the store; it is synced to disk in the background.

        The caller does not wait for fsync: ``find`` treats a file that a power cut truncated as missing. Raises
        DiskFull, or FolderUnavailable if the folder was removed.
        """
        with writing_to(self.folder, "the music"):
            digest, size = file_sha256(path), path.stat().st_size
            target = self._path(digest)
            ensure_folder(target.parent)
            # The same bytes generated again restart their retention.
            os.utime(path, (self._clock(), self._clock()))
            # A new digest is too young for prune, so only a file that exists needs the lock.
            with self._lock if target.exists() else nullcontext():
                path.replace(target)
        self._sync.add(target)
        return StoredFile(digest, size)

    def add(self, content: bytes) -> StoredFile:
        """Store bytes as a result. Raises as ``keep``."""
        self.prepare()
        with self.receive() as path:
            path.write_bytes(content)
            return self.keep(path)

    def find(self, digest: str, size: int | None = None) -> Path | None:
        """Return the path of a result, or None if it is missing. Raises InvalidRequest unless ``digest`` is a SHA-256.

        With ``size`` in bytes, a file of another size counts as missing: a power cut may have truncated it.
        """
        path = self._path(digest)
        about = _status(path)
        # Only regular files: a link could lead out of the folder.
        if about is None or not stat.S_ISREG(about.st_mode):
            return None
        is_whole = about.st_size > 0 if size is None else about.st_size == size
        return path if is_whole else None

    def prune(self, retention: Retention, used: Mapping[str, float], most: int | None = None) -> tuple[str, ...]:
        """Remove results that are too old, then the oldest while the total is too large; return the digests removed.

        ``used`` is the time at which each result's last job finished; a file without a job counts from its
        modification. Results used within ``GRACE_SECONDS`` are kept. At most ``most`` results are removed.
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
        # 256 folders, so that none of them holds too many files.
        return self.folder / digest[:2] / digest

    def _results(self, used: Mapping[str, float], now: float) -> Iterator[_RetentionEntry]:
        # Neither incoming/ nor the lock file matches.
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            about = _status(path)
            if about is not None and is_sha256(path.name) and stat.S_ISREG(about.st_mode):
                times = (about.st_mtime, used.get(path.name, 0.0))
                # A time in the future comes from a clock that was ahead.
                known = [at for at in times if at <= now + GRACE_SECONDS]
                # Such a file would stay young for as long as the clock was ahead.
                if about.st_mtime not in known:
                    with suppress(FileNotFoundError):
                        os.utime(path, (now, now))
                yield _RetentionEntry(path, about.st_size, max(known, default=now))

    def _remove(self, one: _RetentionEntry, now: float) -> bool:
        """Remove a result, unless it was generated again or removed by another process since it was listed."""
        with self._lock:
            about = _status(one.path)
            if about is None or now - about.st_mtime <= GRACE_SECONDS:
                return False
            one.path.unlink()
            for outline in one.path.parent.glob(f"{one.path.name}{OUTLINE_SUFFIX}*"):
                outline.unlink(missing_ok=True)
        return True

    def _remove_leftovers(self) -> None:
        for path in self._incoming.iterdir():
            about = _status(path)
            if about is not None and self._clock() - about.st_mtime > GRACE_SECONDS:
                path.unlink(missing_ok=True)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a path without following links, None if another process has just removed it."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
