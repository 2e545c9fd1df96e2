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
    """``owner`` is whose jobs the caller sees: those of the token's id, or of an address, or None for everybody's."""

    owner: str | None


class Authenticator:
    """FastAPI's dependency that returns the caller.

    Until a token exists everyone may call and sees every job, as a server on loopback is used; ``anonymous`` lets
    people call without one anyway, and they see the jobs of their address.
    """

    def __init__(self, tokens: Tokens, *, anonymous: bool) -> None:
        self._tokens = tokens
        self._anonymous = anonymous

    async def __call__(self, request: Request) -> Caller:
        """Return who calls; raises Unauthenticated."""
        secret = _secret_of(request)
        if not self._anonymous and not await asyncio.to_thread(self._tokens.exist):
            return Caller(None)
        if secret is None:
            if self._anonymous:
                return Caller(request.client.host if request.client else "unknown")
            raise Unauthenticated("no token was given; send it as: Authorization: Bearer TOKEN")
        token = await asyncio.to_thread(self._tokens.verify, secret)
        if token is None:
            raise Unauthenticated("the token is not valid here")
        return Caller(token.id)


def _secret_of(request: Request) -> str | None:
    given = request.headers.get("authorization", "").strip()
    scheme, _, rest = given.partition(" ")
    secret = rest.strip() if scheme.lower() in SCHEMES else given
    return secret or request.headers.get("xi-api-key", "").strip() or None
