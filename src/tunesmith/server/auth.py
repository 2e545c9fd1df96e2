"""Callers: who calls, with which rights, from which address, and how often.

Tokens come as ``Bearer x``, ``Token x``, bare or in ``xi-api-key``. They are never logged, and the cache holds only
their digests. Requests are counted in fixed windows with the ``limits`` library, in memory or, for several servers, in
Redis; the limit on generated audio is the quota, which ``jobs/store.py`` counts in the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from tunesmith.errors import InvalidRequest
from tunesmith.extras import install_command
from tunesmith.library.clock import Clock
from tunesmith.library.tokens import START, Allowance, ApiToken, RateLimit, Scope, Tokens
from tunesmith.server.errors import Forbidden, RateLimitStoreUnavailable, Unauthenticated
from tunesmith.ttl_cache import TtlCache

if TYPE_CHECKING:
    from limits.aio.storage import Storage

NETWORK_BITS = 64
"""The prefix of an IPv6 address that identifies a client: a household has the rest to itself."""

UNKNOWN = "unknown"
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_group(host: str) -> str:
    """Return an IPv4 address unchanged and an IPv6 address as its network; ``unknown`` for anything else."""
    address = _parsed(host)
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((address, NETWORK_BITS), strict=False))


def is_local_or_in(host: str, networks: Iterable[IpNetwork]) -> bool:
    """Return whether an address is loopback or in one of the networks."""
    address = _parsed(host)
    return address is not None and (address.is_loopback or any(address in network for network in networks))


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # A zone such as %eth0 is not part of the address.
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # The same client must not count twice, as IPv4 and as IPv4 mapped into IPv6.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


READS = ("GET", "HEAD", "OPTIONS")
READS_A_REQUEST = 20
"""How many reads are free per allowed request, so that clients can poll twice a second."""

REDIS_SCHEMES = ("redis", "rediss", "redis+unix")
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
    if url.partition("://")[0] not in REDIS_SCHEMES:
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


# Older clients of Replicate say Token in place of Bearer.
SCHEMES = ("bearer", "token")
REMEMBERED_SECONDS = 1.0
"""The time to live of a cached token: how long a revoked token is still accepted."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: ``owner`` is a token's id, an address group, or None, which sees everybody's jobs.

    ``rate`` limits its requests, None is unlimited. ``is_anonymous`` states that the owner is an address group.
    """

    owner: str | None
    scope: Scope = "generate"
    rate: RateLimit | None = None
    is_anonymous: bool = False


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may call at all.

    ``anonymous`` accepts callers without a token; they see the jobs of their address group and share
    ``anonymous_rate``.
    ``open_at_first`` lets everyone do everything until the first token is created, which is safe on loopback only.
    """

    anonymous: bool = False
    open_at_first: bool = True
    anonymous_rate: RateLimit | None = None


class Authenticator:
    """The FastAPI dependency that returns the caller and counts the request."""

    def __init__(
        self, tokens: Tokens, access: AuthSettings, limits: RateLimits | None = None, clock: Clock = time.time
    ) -> None:
        self._tokens = tokens
        self._access = access
        self._limits = limits or RateLimits()
        self._clock = clock
        self._closed: TtlCache[None, bool] = TtlCache(REMEMBERED_SECONDS)
        self._known: TtlCache[bytes, ApiToken | None] = TtlCache(REMEMBERED_SECONDS)

    async def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises Unauthenticated and RateLimited."""
        caller = await self._caller(request, _token_from_headers(request))
        request.state.caller = caller
        if caller.owner is not None and caller.rate is not None:
            left = await self._limits.hit(caller.owner, caller.rate, is_read=request.method in READS)
            # Set before the check: a refused request gets the headers too.
            request.state.rate = left
            left.check(self._clock())
        return caller

    async def socket_caller(self, socket: HTTPConnection, token: str | None) -> Caller:
        """Return the caller of a WebSocket, and count it as a request that is no read.

        ``token`` is the one in its first message, because pages cannot set headers. Raises as a request does.
        """
        caller = await self._caller(socket, _token_from_headers(socket) or token)
        if caller.owner is not None and caller.rate is not None:
            (await self._limits.hit(caller.owner, caller.rate, is_read=False)).check(self._clock())
        return caller

    async def _caller(self, request: HTTPConnection, secret: str | None) -> Caller:
        if not self._access.anonymous and self._access.open_at_first and await self._is_open(secret):
            return Caller(None, "admin")
        if secret is not None:
            return await self._holder(secret)
        if self._access.anonymous:
            address = address_group(request.client.host) if request.client else UNKNOWN
            return Caller(address, rate=self._access.anonymous_rate, is_anonymous=True)
        raise Unauthenticated("no token was given; send it as: Authorization: Bearer TOKEN")

    async def _holder(self, secret: str) -> Caller:
        # The cache must not hold secrets in plain text.
        digest = hashlib.sha256(secret.encode()).digest()
        token = await self._known.get(digest, lambda: self._tokens.verify(secret))
        if token is None or not token.is_in_force(self._clock()):
            raise Unauthenticated("the token is not valid here")
        return Caller(token.id, token.scope, token.rate)

    async def _is_open(self, secret: str | None) -> bool:
        """Return whether no token was ever created; a caller with a token of ours gets an uncached answer."""
        is_closed = await self._closed.get(None, self._tokens.any_created)
        # The first token may be younger than the cached answer, and its holder must not pass as an open caller.
        if not is_closed and secret is not None and secret.startswith(START):
            self._closed.forget(None)
            is_closed = await self._closed.get(None, self._tokens.any_created)
        return not is_closed


def require_admin(authenticate: Callable[..., Awaitable[Caller]]) -> Callable[..., Awaitable[Caller]]:
    """Return the FastAPI dependency that returns the caller if it is an admin. Raises Forbidden."""
    authenticated = Depends(authenticate)

    async def admin(caller: Caller = authenticated) -> Caller:
        if caller.scope != "admin":
            raise Forbidden("this needs a token of scope admin; create one with: tunesmith token create --scope admin")
        return caller

    return admin


def _token_from_headers(request: HTTPConnection) -> str | None:
    given = request.headers.get("authorization", "").strip()
    scheme, _, rest = given.partition(" ")
    # A header without a scheme holds the token alone.
    secret = rest.strip() if scheme.lower() in SCHEMES else given
    # The header of ElevenLabs' clients.
    return secret or request.headers.get("xi-api-key", "").strip() or None
