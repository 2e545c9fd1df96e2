"""Running a batch: its orders through workers, those that failed once more, and every result into the manifest."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.audio.writer import check_writable
from tunesmith.batch.items import BatchItem
from tunesmith.batch.manifest import BatchManifest, Entry
from tunesmith.disk_full import is_full
from tunesmith.errors import (
    AudioFileError,
    DiskFull,
    InvalidItem,
    InvalidRequest,
    ServerUnreachable,
    TokenRefused,
    TunesmithError,
)
from tunesmith.jobs.runners.pool import ProgressReport

Value = TypeVar("Value")
TRIES = 2
HOPELESS = (DiskFull, TokenRefused, ServerUnreachable)
"""Errors that every other order would meet as well."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Music in its file: its length in seconds and what is known about it."""

    duration: float
    metadata: Mapping[str, Any]


class Backend(Protocol):
    """Makes music for a batch, here or on a server."""

    def places(self, models: Sequence[str]) -> int:
        """Return how many orders of these models should be made at once."""
        ...

    async def make(self, order: BatchItem, path: Path, report: Callable[[ProgressReport], None]) -> ItemResult:
        """Make an order's music in the file ``path``; raises Mistake where the request is to blame, TunesmithError."""
        ...

    async def close(self) -> None:
        """End what works for it."""
        ...


class ProgressListener(Protocol):
    """Is told how a batch goes."""

    def begun(self, order: BatchItem) -> None:
        """An order is being made."""
        ...

    def moved(self, order: BatchItem, report: ProgressReport) -> None:
        """An order has come so far."""
        ...

    def ended(self, order: BatchItem, entry: Entry, made: ItemResult | None) -> Entry:
        """An order was made, or failed for now (``waiting``) or for good; return the entry to be noted."""
        ...


@dataclass(slots=True)
class Batch:
    """The orders of ``manifest`` that are to be made, by ``maker``, with as many at once as ``jobs``."""

    manifest: BatchManifest
    maker: Backend
    watcher: ProgressListener
    jobs: int | None = None
    _interrupted: list[_Interrupted] = field(default_factory=list, init=False)

    async def run(self, orders: Sequence[BatchItem]) -> None:
        """Make the orders. Raises one of HOPELESS, with those that are not made left waiting.

        Cancelled, it still records every piece whose file was finished.
        """
        waiting = deque(orders)
        places = self.jobs or self.maker.places(sorted({order.request.model for order in orders}))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(places, len(waiting))):
                    workers.create_task(self._work(waiting))
        except* TunesmithError as failed:
            raise _first(failed) from None
        finally:
            await self.maker.close()
            for one in self._interrupted:
                with suppress(AudioFileError):  # what cannot be read is not a finished piece
                    self._record_if_finished(one)

    async def _work(self, waiting: deque[BatchItem]) -> None:
        while waiting:
            order = waiting.popleft()
            entry = await self._generate(order)
            if entry.state == "waiting":
                waiting.append(replace(order, entry=entry))

    async def _generate(self, order: BatchItem) -> Entry:
        """Make an order and return its entry, which is waiting where another try may help."""
        path = self.manifest.folder / order.entry.file
        self.watcher.begun(order)
        started, before = time.monotonic(), _state_of(path)
        try:
            make_folder_of(path)
            made = await self.maker.make(order, path, lambda report: self.watcher.moved(order, report))
        except HOPELESS:
            raise
        except TunesmithError as error:
            return await uninterrupted(self._record(order, _failed_entry(order.entry, error), None))
        except asyncio.CancelledError:
            self._interrupted.append(_Interrupted(order, path, before, started))
            raise
        return await uninterrupted(self._finished(order, made, started))

    async def _finished(self, order: BatchItem, made: ItemResult, started: float) -> Entry:
        took = round(time.monotonic() - started, 3)
        digest = await asyncio.to_thread(_digest_of, self.manifest.folder / order.entry.file)
        return await self._record(order, _done_entry(order.entry, made, digest, took), made)

    async def _record(self, order: BatchItem, entry: Entry, made: ItemResult | None) -> Entry:
        entry = self.watcher.ended(order, entry, made)
        await asyncio.to_thread(self.manifest.put, entry)
        return entry

    def _record_if_finished(self, one: _Interrupted) -> None:
        """Record a piece whose file was finished between its last report and the interruption."""
        if _state_of(one.path) in (None, one.before):
            return
        made = ItemResult(read_audio(one.path).duration, read_metadata(one.path))
        took = round(time.monotonic() - one.started, 3)
        entry = _done_entry(one.order.entry, made, _digest_of(one.path), took)
        self.manifest.put(self.watcher.ended(one.order, entry, made))


@dataclass(frozen=True, slots=True)
class _Interrupted:
    """An order that was cancelled: its file, the state of that file before, and when it was begun."""

    order: BatchItem
    path: Path
    before: tuple[int, int] | None
    started: float


def _state_of(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is written anew; None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


async def uninterrupted(work: Coroutine[Any, Any, Value]) -> Value:
    """Wait for work that must not be left half done; a cancellation counts after its end."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def make_folder_of(path: Path) -> None:
    """Make the folder of a file and see that the file could be written; raises AudioFileError, DiskFull."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        kind = DiskFull if is_full(error) else AudioFileError
        raise kind(f"output: cannot write {path}: {error.strerror}") from None
    check_writable(path)


def _done_entry(entry: Entry, made: ItemResult, digest: str, took: float) -> Entry:
    return replace(
        entry, state="made", digest=digest, seconds=took, duration=round(made.duration, 4), error=None,
        tries=entry.tries + 1, warnings=tuple(map(str, made.metadata.get("warnings") or ())),
    )  # fmt: skip


def _failed_entry(entry: Entry, error: TunesmithError) -> Entry:
    """Another try helps against chance, not against a mistake in the request."""
    tries = entry.tries + 1
    is_mistake = isinstance(error, InvalidItem | InvalidRequest)
    state = "failed" if is_mistake or tries >= TRIES else "waiting"
    return replace(entry, state=state, error=" ".join(str(error).split()), tries=tries)  # type: ignore[arg-type]


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first(failed: BaseExceptionGroup[TunesmithError]) -> TunesmithError:
    """Return the first error of a group, however deep it lies."""
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
