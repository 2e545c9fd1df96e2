"""Upload limits: what callers may upload besides text, and how much of it the server keeps.

There are three limits, checked in this order: an owner whose quota is used up may upload nothing (429); an owner may
upload a number of bytes per day (429); all kept files must fit into ``result_gigabytes`` and onto the disk (507).
"""

from __future__ import annotations

import asyncio
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from tunesmith.errors import RateLimited
from tunesmith.library.clock import Clock
from tunesmith.logs import LimitLog
from tunesmith.server.auth import RateLimits
from tunesmith.server.errors import UploadLimited, UploadsFull
from tunesmith.server.observability.health import LEAST_FREE_BYTES

QUOTA, BYTES, BUDGET = "upload_quota", "upload_bytes", "upload_budget"
"""The reasons for refusing an upload."""

MIN_COUNTED_BYTES = 10**6
"""The smallest size that an upload counts as, so that a day holds a bounded number of files."""

MEASURE_SECONDS = 60.0
"""The maximum age of the measured size; this server's own additions count at once."""

MAKE_ROOM_SECONDS = 5.0
"""The minimum interval between two attempts to make room."""

MakeRoom = Callable[[int], object]
"""A callback that removes files until the given number of bytes fits."""


class UploadBudget:
    """A budget of bytes that folders share. Safe to share between threads."""

    def __init__(
        self, folders: Sequence[Path], max_bytes: float, make_room: MakeRoom = lambda _: None,
        clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._folders = folders
        self._max_bytes = max_bytes
        self._make_room = make_room
        self._clock = clock
        self._lock = threading.Lock()
        self._used = self._reserved = 0
        self._measured_at = self._removed_at = float("-inf")

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Reserve bytes while the block writes them, making room first if needed. Raises UploadsFull."""
        with self._lock:
            self._check(size)
            # Count the bytes before they are written: concurrent uploads must not all fit into the same room.
            self._reserved += size
        try:
            yield
        except BaseException:
            self._settle(size, 0)
            raise
        self._settle(size, size)

    def _settle(self, reserved: int, written: int) -> None:
        with self._lock:
            self._reserved -= reserved
            self._used += written

    def _check(self, size: int) -> None:
        # Measuring walks over all files, so its result is kept for a minute.
        if self._clock() - self._measured_at >= MEASURE_SECONDS:
            self._measure()
        if not self._fits(size) and self._clock() - self._removed_at >= MAKE_ROOM_SECONDS:
            self._make_room(size)
            self._removed_at = self._clock()
            self._measure()
        if not self._fits(size):
            kept = f"{self._used / 1e9:.3g} of {self._max_bytes / 1e9:g} GB of uploads"
            raise UploadsFull(f"the server keeps {kept} and has no room for {size / 1e6:.3g} MB; try again later")
        # The budget may be larger than the disk.
        if self._free() - self._reserved - size < LEAST_FREE_BYTES:
            raise UploadsFull("the disk is full: the upload could not be stored")

    def _fits(self, size: int) -> bool:
        return self._used + self._reserved + size <= self._max_bytes

    def _free(self) -> float:
        try:
            return shutil.disk_usage(self._folders[0]).free
        # The folder is gone: the write reports it better.
        except OSError:
            return float("inf")

    def _measure(self) -> None:
        self._used = sum(sizes(self._folders))
        self._measured_at = self._clock()


class Uploads:
    """The limits on uploads; ``check_quota`` reads the database and raises RateLimited."""

    def __init__(
        self, check_quota: Callable[[str | None, str | None], None], limits: RateLimits, budget: UploadBudget,
        log: LimitLog, bytes_a_day: float,
    ) -> None:  # fmt: skip
        self._check_quota = check_quota
        self._limits = limits
        self._budget = budget
        self._log = log
        self._bytes_a_day = bytes_a_day

    async def check(self, owner: str | None, idempotency_key: str | None = None) -> None:
        """Raise RateLimited if the owner's quota is used up; an idempotency key used before costs nothing."""
        try:
            await asyncio.to_thread(self._check_quota, owner, idempotency_key)
        except RateLimited as error:
            self._log.report(QUOTA, f"an upload was refused: {error}", owner=owner)
            raise

    async def count(self, owner: str | None, size: int) -> None:
        """Count bytes against an owner's daily limit. Raises UploadLimited and RateLimitStoreUnavailable."""
        if owner is None:
            return
        seconds = await self._limits.hit_bytes(owner, max(size, MIN_COUNTED_BYTES), self._bytes_a_day)
        if seconds is not None:
            error = UploadLimited(f"{self._bytes_a_day / 1e9:g} GB of uploads a day", seconds)
            self._log.report(BYTES, f"an upload was refused: {error} (upload_gigabytes_per_day)", owner=owner)
            raise error

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Reserve bytes while the block writes them. Raises UploadsFull."""
        try:
            with self._budget.reserve(size):
                yield
        except UploadsFull as error:
            self._log.report(BUDGET, f"an upload was refused: {error} (result_gigabytes)")
            raise


def sizes(folders: Iterable[Path]) -> Iterable[int]:
    """Yield the size of each file in the folders; files removed in the meantime are skipped."""
    for path in chain.from_iterable(folder.rglob("*") for folder in folders):
        with suppress(FileNotFoundError):
            about = path.lstat()
            if stat.S_ISREG(about.st_mode):
                yield about.st_size
