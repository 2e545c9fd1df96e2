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
    answer: asyncio.Task[Value]
    at: float


class TtlCache(Generic[Key, Value]):
    """A cache of values for ``seconds``; concurrent requests for one key share a single call (single flight).

    All waiting callers get the same failure, which is not cached.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[Key, _CacheEntry[Value]] = {}

    async def get(self, key: Key, ask: Callable[[], Value]) -> Value:
        """Return the value of a key; on a miss ``ask`` runs in a thread."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None or (entry.answer.done() and not self._holds(entry, now)):
            self._make_room(now)
            entry = _CacheEntry(asyncio.create_task(asyncio.to_thread(ask)), now)
            self._entries[key] = entry
        if entry.answer.done():
            return entry.answer.result()
        # The shield keeps the call alive for the others if one caller is cancelled.
        return await asyncio.shield(entry.answer)

    def forget(self, key: Key) -> None:
        """Drop a key, so that the next ``get`` calls again."""
        self._entries.pop(key, None)

    def _holds(self, entry: _CacheEntry[Value], now: float) -> bool:
        return now - entry.at < self._seconds and not entry.answer.cancelled() and entry.answer.exception() is None

    def _make_room(self, now: float) -> None:
        if len(self._entries) >= MAX_ENTRIES:
            kept = {key: one for key, one in self._entries.items() if not one.answer.done() or self._holds(one, now)}
            self._entries = kept if len(kept) < MAX_ENTRIES else {}
