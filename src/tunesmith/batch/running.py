"""Running a batch: its orders through workers, those that failed once more, and every result into the manifest."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from tunesmith.audio.disk import is_full
from tunesmith.audio.writer import check_writable
from tunesmith.batch.manifest import Entry, Manifest
from tunesmith.batch.orders import Order
from tunesmith.errors import AudioFileError, DiskFull, InvalidRequest, ServerUnreachable, TokenRefused, TunesmithError
from tunesmith.jobs.runners.pool import Report

TRIES = 2
HOPELESS = (DiskFull, TokenRefused, ServerUnreachable)
"""Errors that every other order would meet as well."""


@dataclass(frozen=True, slots=True)
class Made:
    """Music in its file: its length in seconds and what is known about it."""

    duration: float
    metadata: Mapping[str, Any]


class Mistake(TunesmithError):
    """The request itself is why it cannot be made; another try would not help."""


class Maker(Protocol):
    """Makes music for a batch, here or on a server."""

    def places(self, models: Sequence[str]) -> int:
        """Return how many orders of these models should be made at once."""
        ...

    async def make(self, order: Order, path: Path, report: Callable[[Report], None]) -> Made:
        """Make an order's music in the file ``path``; raises Mistake where the request is to blame, TunesmithError."""
        ...

    async def close(self) -> None:
        """End what works for it."""
        ...


class Watcher(Protocol):
    """Is told how a batch goes."""

    def begun(self, order: Order) -> None:
        """An order is being made."""
        ...

    def moved(self, order: Order, report: Report) -> None:
        """An order has come so far."""
        ...

    def ended(self, order: Order, entry: Entry, made: Made | None) -> Entry:
        """An order was made, or failed for now (``waiting``) or for good; return the entry to be noted."""
        ...


@dataclass(slots=True)
class Batch:
    """The orders of ``manifest`` that are to be made, by ``maker``, with as many at once as ``jobs``."""

    manifest: Manifest
    maker: Maker
    watcher: Watcher
    jobs: int | None = None

    async def run(self, orders: Sequence[Order]) -> None:
        """Make the orders. Raises one of HOPELESS, with those that are not made left waiting."""
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

    async def _work(self, waiting: deque[Order]) -> None:
        while waiting:
            order = waiting.popleft()
            entry = await self._made(order)
            if entry.state == "waiting":
                waiting.append(replace(order, entry=entry))

    async def _made(self, order: Order) -> Entry:
        """Make an order and return its entry, which is waiting where another try may help."""
        path = self.manifest.folder / order.entry.file
        self.watcher.begun(order)
        started, made = time.monotonic(), None
        try:
            make_folder_of(path)
            made = await self.maker.make(order, path, lambda report: self.watcher.moved(order, report))
            digest = await asyncio.to_thread(_digest_of, path)
            took = round(time.monotonic() - started, 3)
            entry = _made_entry(order.entry, made, digest, took)
        except HOPELESS:
            raise
        except TunesmithError as error:
            entry = _failed_entry(order.entry, error)
        entry = self.watcher.ended(order, entry, made)
        await asyncio.to_thread(self.manifest.put, entry)
        return entry


def make_folder_of(path: Path) -> None:
    """Make the folder of a file and see that the file could be written; raises AudioFileError, DiskFull."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        kind = DiskFull if is_full(error) else AudioFileError
        raise kind(f"output: cannot write {path}: {error.strerror}") from None
    check_writable(path)


def _made_entry(entry: Entry, made: Made, digest: str, took: float) -> Entry:
    return replace(
        entry, state="made", digest=digest, seconds=took, duration=round(made.duration, 4), error=None,
        tries=entry.tries + 1,
    )  # fmt: skip


def _failed_entry(entry: Entry, error: TunesmithError) -> Entry:
    """Another try helps against chance, not against a mistake in the request."""
    tries = entry.tries + 1
    is_mistake = isinstance(error, Mistake | InvalidRequest)
    state = "failed" if is_mistake or tries >= TRIES else "waiting"
    return replace(entry, state=state, error=" ".join(str(error).split()), tries=tries)  # type: ignore[arg-type]


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first(failed: BaseExceptionGroup[TunesmithError]) -> TunesmithError:
    """Return the first error of a group, however deep it lies."""
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
