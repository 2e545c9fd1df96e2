"""Auth: who calls. Tokens come as ``Bearer x``, ``Token x``, bare or in ``xi-api-key``, and are never logged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import Request

from tunesmith.errors import TunesmithError
from tunesmith.library.tokens import Tokens

SCHEMES = ("bearer", "token")


class Unauthenticated(TunesmithError):
    """The token is missing, wrong, revoked or expired."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.headers = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Caller:
    """``owner`` is the token's id, or the address of someone without a token."""

    owner: str
    is_anonymous: bool


class Authenticator:
    """FastAPI's dependency that returns the caller.

    Until a token exists everyone may call, as a server on loopback is used; ``anonymous`` lets people call without one
    even then.
    """

    def __init__(self, tokens: Tokens, *, anonymous: bool) -> None:
        self._tokens = tokens
        self._anonymous = anonymous

    async def __call__(self, request: Request) -> Caller:
        """Return who calls; raises Unauthenticated."""
        secret = _secret_of(request)
        if not await asyncio.to_thread(self._tokens.exist):
            return _anonymous(request)
        if secret is None:
            if self._anonymous:
                return _anonymous(request)
            raise Unauthenticated("no token was given; send it as: Authorization: Bearer TOKEN")
        token = await asyncio.to_thread(self._tokens.verify, secret)
        if token is None:
            raise Unauthenticated("the token is not valid here")
        return Caller(token.id, is_anonymous=False)


def _secret_of(request: Request) -> str | None:
    given = request.headers.get("authorization", "").strip()
    scheme, _, rest = given.partition(" ")
    secret = rest.strip() if scheme.lower() in SCHEMES else given
    return secret or request.headers.get("xi-api-key", "").strip() or None


def _anonymous(request: Request) -> Caller:
    return Caller(request.client.host if request.client else "unknown", is_anonymous=True)
