"""BackgroundSync: fsync of finished files in the background, in batches."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

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
    if os.name == "nt" and path.is_dir():
        # Windows cannot fsync a folder and does not need to.
        return
    try:
        # Windows can flush only a file that is open for writing.
        handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    except FileNotFoundError:
        return
    except OSError as error:
        log.error("cannot sync %s: %s", path, error.strerror)
        return
    try:
        os.fsync(handle)
    except OSError as error:
        log.error("cannot sync %s: %s", path, error.strerror)
    finally:
        os.close(handle)
