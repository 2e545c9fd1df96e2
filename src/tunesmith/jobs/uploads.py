"""UploadStore: recordings uploaded with requests, addressed by their SHA-256, and their retention."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from filelock import FileLock

from tunesmith.audio.decode_check import check_sound
from tunesmith.errors import InvalidRequest, InvalidScore
from tunesmith.files import atomic_path, is_sha256
from tunesmith.jobs.results import BYTES_A_GIGABYTE, GRACE_SECONDS, SECONDS_A_DAY, Retention, ensure_folder, writing_to
from tunesmith.library.clock import Clock

MAX_AUDIO_SECONDS = 1_800.0
SCORE = "score"
MAX_UPLOADED_SCORE_BYTES = 2_000_000
"""Twice what half an hour of a full band takes; reading it takes two seconds of one core."""
_LOCK = ".lock"


Reserve = Callable[[int], AbstractContextManager[None]]
"""Reserves disk space of that many bytes while they are written. Raises UploadsFull if they exceed the limit."""


def reserve_nothing(size: int) -> AbstractContextManager[None]:  # noqa: ARG001  the interface's
    """Reserve nothing: without limits, every upload fits."""
    return nullcontext()


class UploadStore:
    """The content-addressed folder of recordings. Safe to share between processes.

    Names that callers give never reach the file system.
    """

    def __init__(self, folder: Path, clock: Clock = time.time, reserve: Reserve = reserve_nothing) -> None:
        self._folder = folder
        self._clock = clock
        ensure_folder(folder)
        self._reserve = reserve
        self._lock = FileLock(folder / _LOCK)

    def keep(self, content: bytes, field: str) -> Path:
        """Store a recording, or the score of the field ``score``, and return its path.

        Raises InvalidRequest, which names ``field``, if the content is not audio, or no score, DiskFull and
        FolderUnavailable.
        """
        if field == SCORE:
            _check_score(content)
        else:
            check_sound(content, field, MAX_AUDIO_SECONDS)
        path = self._folder / hashlib.sha256(content).hexdigest()
        with self._reserve(len(content)), writing_to(self._folder, "the recording"):
            self._write(content, path)
        return path

    def _write(self, content: bytes, path: Path) -> None:
        with atomic_path(path, mode=0o600, lock=self._lock) as incoming:
            with incoming.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # The same recording uploaded again restarts its retention.
            os.utime(incoming, (self._clock(), self._clock()))

    def prune(self, retention: Retention, in_use: Collection[str], most: int) -> int:
        """Remove recordings that are too old, then the oldest while the total is too large; return how many.

        Recordings ``in_use`` and those of the last hour stay. Partial files of crashed processes are removed as well.
        At most ``most`` files are removed.
        """
        ensure_folder(self._folder)
        now = self._clock()
        kept = sorted(self._files(), key=lambda one: one[1].st_mtime)
        room = sum(about.st_size for _, about in kept) - retention.gigabytes * BYTES_A_GIGABYTE
        removed = 0
        for path, about in kept:
            age = now - about.st_mtime
            is_whole = is_sha256(path.name)
            unwanted = age > retention.days * SECONDS_A_DAY or room > 0 or not is_whole
            if removed < most and unwanted and str(path) not in in_use and self._remove(path, now):
                removed += 1
                room -= about.st_size
        return removed

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.iterdir():
            # Another process may prune the same folder.
            with suppress(FileNotFoundError):
                # Not stat: a link could lead out of the folder.
                about = path.lstat()
                if path.name != _LOCK and stat.S_ISREG(about.st_mode):
                    found.append((path, about))
        return found

    def _remove(self, path: Path, now: float) -> bool:
        """Remove a recording, unless it is young or was uploaded again since it was listed; return whether it was."""
        with self._lock, suppress(FileNotFoundError):
            # Checked again under the lock, because an upload may have renewed the file.
            if now - path.lstat().st_mtime > GRACE_SECONDS:
                path.unlink()
                return True
        return False


def _check_score(content: bytes) -> None:
    """Raise InvalidRequest for content that is no score, or too long."""
    if len(content) > MAX_UPLOADED_SCORE_BYTES:
        raise InvalidRequest(SCORE, f"must be at most {MAX_UPLOADED_SCORE_BYTES} bytes, got {len(content)}")
    # The whole reader of scores, which a server does not load to start.
    from tunesmith.composer.score_input import score_of_bytes

    try:
        score_of_bytes(content, SCORE)
    except (InvalidScore, InvalidRequest) as error:
        # An error of this field, whatever a MIDI file is called elsewhere.
        raise InvalidRequest(
            SCORE, error.problem if isinstance(error, InvalidRequest) else str(error).removeprefix("score: ")
        ) from None
