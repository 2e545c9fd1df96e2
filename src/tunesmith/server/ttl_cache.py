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
        self._asked: dict[Key, _CacheEntry[Value]] = {}

    async def get(self, key: Key, ask: Callable[[], Value]) -> Value:
        """Return the value of a key; on a miss ``ask`` runs in a thread."""
        now = self._clock()
        asked = self._asked.get(key)
        if asked is None or (asked.answer.done() and not self._holds(asked, now)):
            self._make_room(now)
            asked = _CacheEntry(asyncio.create_task(asyncio.to_thread(ask)), now)
            self._asked[key] = asked
        if asked.answer.done():
            return asked.answer.result()
        # The shield keeps the call alive for the others if one caller is cancelled.
        return await asyncio.shield(asked.answer)

    def forget(self, key: Key) -> None:
        """Drop a key, so that the next ``get`` calls again."""
        self._asked.pop(key, None)

    def _holds(self, asked: _CacheEntry[Value], now: float) -> bool:
        return now - asked.at < self._seconds and not asked.answer.cancelled() and asked.answer.exception() is None

    def _make_room(self, now: float) -> None:
        if len(self._asked) >= MAX_ENTRIES:
            kept = {key: one for key, one in self._asked.items() if not one.answer.done() or self._holds(one, now)}
            self._asked = kept if len(kept) < MAX_ENTRIES else {}
