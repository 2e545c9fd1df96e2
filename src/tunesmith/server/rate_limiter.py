"""Limits: how many requests a caller may send, and what every answer says about what is left.

Requests are counted in fixed windows through the ``limits`` library, in memory or, for several servers, in Redis. What
a caller may have made is its quota, which ``jobs/quotas.py`` counts in the database.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import DatabaseError, InvalidRequest
from tunesmith.extras import install_command
from tunesmith.library.clock import Clock
from tunesmith.library.rate_limit import Allowance, RateLimit
from tunesmith.server.errors import RateLimitStoreUnavailable

if TYPE_CHECKING:
    from limits.aio.storage import Storage

READS = ("GET", "HEAD", "OPTIONS")
READS_A_REQUEST = 20
"""How many reads are free with each request, so that clients which poll twice a second are not stopped."""

SCHEMES = ("redis", "rediss", "redis+unix")
PATIENCE_SECONDS = 1.0
KEY_PREFIX = "tunesmith"

AskQuota = Callable[[str], Awaitable[Allowance | None]]


class RateLimits:
    """Counts requests; ``url`` is ``redis://…`` for servers that count together, None for this one alone."""

    def __init__(self, url: str | None = None, clock: Clock = time.time) -> None:
        if url is not None:
            _check(url)
        self._url = url
        self._clock = clock
        self._storage: Storage | None = None
        self._opening = asyncio.Lock()

    async def hit(self, owner: str, rate: RateLimit, *, is_read: bool) -> Allowance:
        """Count a request and return what is left; raises LimitsOutOfReach."""
        things = "reads" if is_read else "requests"
        allowed = RateLimit(rate.count * READS_A_REQUEST, rate.unit) if is_read else rate
        began, ends = allowed.window(self._clock())
        count = await self._count(f"{owner}/{things}/{allowed}/{began:.0f}", allowed.seconds)
        return Allowance(things, allowed, max(0, allowed.count - count), ends, is_exceeded=count > allowed.count)

    async def hit_bytes(self, owner: str, size: int, max_bytes: float) -> int | None:
        """Count bytes that an owner hands in, unless its day's bytes would be exceeded.

        Returns None, or the seconds until the day ends where they would be; raises LimitsOutOfReach.
        """
        now, day = self._clock(), RateLimit(1, "day")
        began, ends = day.window(now)
        key = f"{owner}/bytes/{began:.0f}"
        if await self._ask(lambda storage: storage.get(key)) + size > max_bytes:
            return max(1, math.ceil(ends - now))
        await self._count(key, day.seconds, size)
        return None

    async def close(self) -> None:
        """Let the connections go."""
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
    """Open where requests are counted; the library is loaded only now, because most servers never need it."""
    from limits.aio.storage import MemoryStorage, RedisStorage

    if url is None:
        return MemoryStorage()
    return RedisStorage(
        f"async+{url}", wrap_exceptions=True, implementation="redispy", key_prefix=KEY_PREFIX,
        socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS,
    )  # fmt: skip


class RateLimitHeadersMiddleware:
    """Middleware that says in every answer what is left to the caller, also where it was refused.

    The quota is looked up for what is not a read, because it costs a query and only submissions change it.
    """

    def __init__(self, app: ASGIApp, quota_of: AskQuota, clock: Clock = time.time) -> None:
        self._app = app
        self._quota_of = quota_of
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer with its headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                left = await self._left(state, scope["method"])
                headers = MutableHeaders(scope=message)
                for name, value in limit_headers(left, self._clock()).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent)

    async def _left(self, state: Mapping[str, object], method: str) -> list[Allowance]:
        rate = state.get("rate")
        left = [rate] if isinstance(rate, Allowance) else []
        owner = getattr(state.get("caller"), "owner", None)
        if owner is not None and method not in READS:
            try:
                quota = await self._quota_of(owner)
            except DatabaseError:
                quota = None  # the answer itself matters more than what it says by the way
            left += [quota] if quota else []
        return left


def limit_headers(left: Sequence[Allowance], now: float) -> dict[str, str]:
    """Return the headers of the IETF's drafts (draft-ietf-httpapi-ratelimit-headers), old and new.

    The old ones have room for one limit: the one that is nearest to its end.
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
