"""Authentication: who calls, and with which rights. Tokens come as ``Bearer x``, ``Token x``, bare or in
``xi-api-key``.

Tokens are never logged, and the cache holds only their digests.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Depends, Request

from tunesmith.library.clock import Clock
from tunesmith.library.rate_limit import RateLimit
from tunesmith.library.tokens import START, ApiToken, Scope, Tokens
from tunesmith.server.addresses import UNKNOWN, address_group
from tunesmith.server.errors import Forbidden, Unauthenticated
from tunesmith.server.rate_limiter import READS, RateLimits
from tunesmith.ttl_cache import TtlCache

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
        caller = await self._caller(request)
        request.state.caller = caller
        if caller.owner is not None and caller.rate is not None:
            left = await self._limits.hit(caller.owner, caller.rate, is_read=request.method in READS)
            # Set before the check: a refused request gets the headers too.
            request.state.rate = left
            left.check(self._clock())
        return caller

    async def _caller(self, request: Request) -> Caller:
        secret = _token_from_headers(request)
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
            raise Forbidden("this needs a token of scope admin; make one with: tunesmith token create --scope admin")
        return caller

    return admin


def _token_from_headers(request: Request) -> str | None:
    given = request.headers.get("authorization", "").strip()
    scheme, _, rest = given.partition(" ")
    secret = rest.strip() if scheme.lower() in SCHEMES else given
    return secret or request.headers.get("xi-api-key", "").strip() or None
