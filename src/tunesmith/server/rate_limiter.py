"""Rate limits: how many requests a caller may send, and the response headers about the rest.

Requests are counted in fixed windows with the ``limits`` library, in memory or, for several servers, in Redis. The
limit on generated audio is the quota, which ``jobs/store.py`` counts in the database.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from tunesmith.errors import InvalidRequest
from tunesmith.extras import install_command
from tunesmith.library.clock import Clock
from tunesmith.library.rate_limit import Allowance, RateLimit
from tunesmith.server.errors import RateLimitStoreUnavailable

if TYPE_CHECKING:
    from limits.aio.storage import Storage

READS = ("GET", "HEAD", "OPTIONS")
READS_A_REQUEST = 20
"""How many reads are free per allowed request, so that clients can poll twice a second."""

SCHEMES = ("redis", "rediss", "redis+unix")
PATIENCE_SECONDS = 1.0
KEY_PREFIX = "tunesmith"


class RateLimits:
    """A request counter; ``url`` is ``redis://…`` to share counts between servers, None to count in memory."""

    def __init__(self, url: str | None = None, clock: Clock = time.time) -> None:
        if url is not None:
            _check(url)
        self._url = url
        self._clock = clock
        self._storage: Storage | None = None
        self._opening = asyncio.Lock()

    async def hit(self, owner: str, rate: RateLimit, *, is_read: bool) -> Allowance:
        """Count a request and return the remaining allowance. Raises RateLimitStoreUnavailable."""
        things = "reads" if is_read else "requests"
        # Reads have a counter of their own, so that polling does not use up the submissions.
        allowed = RateLimit(rate.count * READS_A_REQUEST, rate.unit) if is_read else rate
        began, ends = allowed.window(self._clock())
        # The start of the window is in the key, so a new window starts at zero.
        count = await self._count(f"{owner}/{things}/{allowed}/{began:.0f}", allowed.seconds)
        return Allowance(things, allowed, max(0, allowed.count - count), ends, is_exceeded=count > allowed.count)

    async def hit_bytes(self, owner: str, size: int, max_bytes: float) -> int | None:
        """Count uploaded bytes of an owner, unless they exceed the daily limit.

        Returns None, or the seconds until the day ends if the limit is reached. Raises RateLimitStoreUnavailable.
        """
        now, day = self._clock(), RateLimit(1, "day")
        began, ends = day.window(now)
        key = f"{owner}/bytes/{began:.0f}"
        # Check before counting: a refused upload must not use up the day.
        if await self._ask(lambda storage: storage.get(key)) + size > max_bytes:
            return max(1, math.ceil(ends - now))
        await self._count(key, day.seconds, size)
        return None

    async def close(self) -> None:
        """Close the connections."""
        bridge = getattr(self._storage, "bridge", None)
        if bridge is not None:
            await bridge.storage.aclose()

    async def _count(self, key: str, seconds: int, amount: int = 1) -> int:
        return await self._ask(lambda storage: storage.incr(key, seconds, amount))

    async def _ask(self, ask: Callable[[Storage], Awaitable[int]]) -> int:
        storage = self._storage or await self._open()
        from limits.errors import StorageError

        try:
            return await ask(storage)
        except StorageError as error:
            raise RateLimitStoreUnavailable from error

    async def _open(self) -> Storage:
        # Two first requests must not open two stores, each with its own counts.
        async with self._opening:
            if self._storage is None:
                self._storage = await asyncio.to_thread(_storage_at, self._url)
        return self._storage


def _check(url: str) -> None:
    if url.partition("://")[0] not in SCHEMES:
        raise InvalidRequest("setting rate_limit_url", "must be redis://HOST:PORT/NUMBER, rediss:// or redis+unix://")
    if importlib.util.find_spec("redis") is None:
        raise InvalidRequest("setting rate_limit_url", f"Redis needs: {install_command('redis')}")


def _storage_at(url: str | None) -> Storage:
    """Open the storage of the counts; the library is imported only now, because most servers never need it."""
    from limits.aio.storage import MemoryStorage, RedisStorage

    if url is None:
        return MemoryStorage()
    return RedisStorage(
        # Short timeouts: every request waits for the count.
        f"async+{url}", wrap_exceptions=True, implementation="redispy", key_prefix=KEY_PREFIX,
        socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS,
    )  # fmt: skip


def limit_headers(left: Sequence[Allowance], now: float) -> dict[str, str]:
    """Return the headers of the IETF drafts (draft-ietf-httpapi-ratelimit-headers), old and new.

    The old headers have room for one limit: the one closest to exhaustion.
    """
    if not left:
        return {}
    ordered = sorted(left, key=lambda one: one.remaining / one.rate.count)
    first = ordered[0]
    return {
        "ratelimit-limit": str(first.rate.count),
        "ratelimit-remaining": str(first.remaining),
        "ratelimit-reset": str(first.resets_in(now)),
        "ratelimit": ", ".join(f'"{one.things}";r={one.remaining};t={one.resets_in(now)}' for one in ordered),
        "ratelimit-policy": ", ".join(f'"{one.things}";q={one.rate.count};w={one.rate.seconds}' for one in ordered),
    }
