"""TtlCache: a cache with a time to live and single flight, for answers of the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

# The keys come from callers, so their number must be bounded.
MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class _CacheEntry(Generic[Value]):
    answer: asyncio.Future[Value]
    at: float


class TtlCache(Generic[Key, Value]):
    """A cache of values; concurrent requests for one key share a single call (single flight). Used from one event loop.

    ``seconds`` is the time to live from the start of the call, for all values or by value. All waiting callers get the
    same failure, which is not cached.
    """

    def __init__(
        self, seconds: float | Callable[[Value], float], clock: Callable[[], float] = time.monotonic,
        most: int | None = None,
    ) -> None:  # fmt: skip
        """``most`` is the largest number of values, MAX_ENTRIES if None."""
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._entries: dict[Key, _CacheEntry[Value]] = {}

    async def get(self, key: Key, ask: Callable[[], Value]) -> Value:
        """Return the value of a key; on a miss ``ask`` runs in a thread."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None or (entry.answer.done() and not self._holds(entry, now)):
            entry = self._keep(key, asyncio.create_task(asyncio.to_thread(ask)), now)
            entry.answer.add_done_callback(_look_at_error)
        if entry.answer.done():
            return entry.answer.result()
        # The shield keeps the call alive for the others if one caller is cancelled.
        return await asyncio.shield(entry.answer)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value that is known without a call."""
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        answer.set_result(value)
        self._keep(key, answer, self._clock())

    def forget(self, key: Key) -> None:
        """Drop a key, so that the next ``get`` calls again; a call in progress may return a stale value."""
        self._entries.pop(key, None)

    def _keep(self, key: Key, answer: asyncio.Future[Value], now: float) -> _CacheEntry[Value]:
        if len(self._entries) >= (most := self._most or MAX_ENTRIES):
            kept = {key: one for key, one in self._entries.items() if not one.answer.done() or self._holds(one, now)}
            self._entries = kept if len(kept) < most else {}
        entry = self._entries[key] = _CacheEntry(answer, now)
        return entry

    def _holds(self, entry: _CacheEntry[Value], now: float) -> bool:
        if entry.answer.cancelled() or entry.answer.exception() is not None:
            return False
        return now - entry.at < (self._seconds(entry.answer.result()) if callable(self._seconds) else self._seconds)


def _look_at_error(answer: asyncio.Future[Value]) -> None:
    """Retrieve the error, or asyncio would log it as never retrieved if all callers have gone."""
    if not answer.cancelled():
        answer.exception()
