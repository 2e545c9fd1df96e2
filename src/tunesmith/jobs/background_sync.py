"""BackgroundSync: finished files reach the disk a moment after they are served, in batches, in a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

DELAY_SECONDS = 0.2
"""How long files gather before they are synced together; a power cut may take what is younger."""

log = logging.getLogger("tunesmith.server")


class BackgroundSync:
    """Syncs files and their folders to the disk. Safe to share between threads; the end of the process waits for it."""

    def __init__(self, delay: float = DELAY_SECONDS) -> None:
        self._delay = delay
        self._thread = ThreadPoolExecutor(1, "sync")
        self._lock = threading.Lock()
        self._paths: set[Path] = set()
        self._scheduled: Future[None] | None = None

    def add(self, path: Path) -> None:
        """Sync a file soon; returns at once."""
        with self._lock:
            self._paths.add(path)
            if self._scheduled is None:
                self._scheduled = self._thread.submit(self._sync_batch)

    def flush(self) -> None:
        """Wait until every file added so far is on the disk."""
        with self._lock:
            scheduled = self._scheduled
        if scheduled is not None:
            scheduled.result()

    def _sync_batch(self) -> None:
        time.sleep(self._delay)
        with self._lock:
            paths, self._paths, self._scheduled = self._paths, set(), None
        for path in (*sorted(paths), *sorted({path.parent for path in paths})):
            sync(path)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk; a file that is gone by now needs nothing."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no such call for folders and needs none
    try:
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
