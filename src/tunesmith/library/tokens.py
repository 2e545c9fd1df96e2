"""API tokens: who may call the server, and how much.

A token is ``ts_`` and 256 random bits. Only its SHA-256 is stored: a slow hash protects guessable passwords, which
these bits are not. Its first characters are stored in plain text to display it and to find its row; the hashes are
then compared in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from tunesmith.errors import InvalidRequest, RateLimited, UnknownName
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import tokens

SECONDS = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400})
_SHORT = {"s": "second", "sec": "second", "min": "minute", "m": "minute", "h": "hour", "d": "day"}
_RATE = re.compile(r"(\d{1,9})\s*/\s*([a-z]+?)s?")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rate limit: ``count`` in each ``unit``, one of ``SECONDS``. Raises InvalidRequest for other values."""

    count: int
    unit: str

    def __post_init__(self) -> None:
        if self.count < 1 or self.unit not in SECONDS:
            raise InvalidRequest("rate", f"must be at least 1 per {', '.join(SECONDS)}, got {self}")

    @property
    def seconds(self) -> int:
        """The length of the window, in seconds."""
        return SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit}"

    @classmethod
    def parse(cls, field: str, text: str) -> RateLimit:
        """Parse ``60/min``, ``1000/day`` and the like. Raises InvalidRequest that names the field."""
        found = _RATE.fullmatch(text.strip().lower())
        unit = "" if found is None else _SHORT.get(found[2], found[2])
        if found is None or unit not in SECONDS or int(found[1]) < 1:
            raise InvalidRequest(field, f"must be COUNT/UNIT, unit second, minute, hour or day, got {text[:40]!r}")
        return cls(int(found[1]), unit)

    def says(self, things: str) -> str:
        """Return the limit in words, such as ``60 requests a minute``."""
        counted = things.removesuffix("s") if self.count == 1 else things
        return f"{self.count} {counted} {'an' if self.unit == 'hour' else 'a'} {self.unit}"

    def window(self, now: float) -> tuple[float, float]:
        """Return the start and end of the fixed window that contains ``now``; days and hours are UTC."""
        # Fixed windows aligned to the clock, so that all processes agree without talking to each other.
        began = now // self.seconds * self.seconds
        return began, began + self.seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """The rest of a rate limit: ``remaining`` of ``rate``, which is full again at ``resets_at``.

    ``things`` names what is counted, in the plural; times are seconds since 1970 in UTC. ``is_exceeded`` is set if the
    last request went over the limit.
    """

    things: str
    rate: RateLimit
    remaining: int
    resets_at: float
    is_exceeded: bool = False

    def check(self, now: float) -> None:
        """Raise RateLimited if the limit is exceeded."""
        if self.is_exceeded:
            raise RateLimited(self.rate.says(self.things), self.resets_in(now))

    def resets_in(self, now: float) -> int:
        """Return the whole seconds until the limit is full again, at least 1."""
        # Never 0: a client would retry at once.
        return max(1, math.ceil(self.resets_at - now))


Scope = Literal["generate", "admin"]
SCOPES: tuple[Scope, ...] = ("generate", "admin")
START, SECRET_BYTES, SHOWN = "ts_", 32, 9
MAX_NAME = 64
USED_SECONDS = 60.0
"""The shortest interval between two updates of a token's last use."""

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The properties of a new token; ``expires_at`` is in seconds since 1970 in UTC, None is never.

    Raises InvalidRequest for an invalid name or scope.
    """

    name: str
    scope: Scope = "generate"
    quota: RateLimit | None = None
    rate: RateLimit | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= MAX_NAME or not self.name.isprintable() or self.name != self.name.strip():
            raise InvalidRequest("name", f"must be 1 to {MAX_NAME} printable characters, got {self.name[:80]!r}")
        if self.scope not in SCOPES:
            raise InvalidRequest("scope", f"must be generate or admin, got {self.scope!r}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A stored token, without the secret; ``prefix`` is the start of the secret."""

    id: str
    name: str
    prefix: str
    scope: Scope
    quota: RateLimit | None
    rate: RateLimit | None
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None

    def is_in_force(self, now: float) -> bool:
        """Return whether the server accepts the token at time ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A newly created token; ``secret`` is shown once and stored nowhere."""

    token: ApiToken
    secret: str

    def __repr__(self) -> str:
        """Return a text without the secret, so that no log can contain it."""
        return f"NewToken(token={self.token!r})"


class Tokens:
    """The API tokens in a database. Safe to share between threads and processes."""

    def __init__(
        self, database: Database, clock: Clock = time.time, random_bytes: RandomBytes = secrets.token_bytes
    ) -> None:
        self._database = database
        self._clock = clock
        self._random_bytes = random_bytes

    def create(self, request: TokenRequest) -> NewToken:
        """Create a token. Raises InvalidRequest for a name in use or an expiry in the past."""
        now = self._clock()
        if request.expires_at is not None and request.expires_at <= now:
            raise InvalidRequest("expires", "must lie in the future")
        secret = START + _url_safe_base64(self._random_bytes(SECRET_BYTES))
        row = {
            "id": _url_safe_base64(self._random_bytes(9)), "name": request.name,
            "prefix": secret[:SHOWN], "hash": _hash(secret), "scope": request.scope,
            "quota": _format_rate(request.quota), "rate": _format_rate(request.rate),
            "created_at": now, "expires_at": request.expires_at,
        }  # fmt: skip
        # The unique index decides, not a query before: two processes may create the same name at once.
        try:
            with self._database.write() as connection:
                created = connection.execute(sa.insert(tokens).values(row).returning(*tokens.c)).mappings().one()
        except IntegrityError:
            raise InvalidRequest("name", f"a token called {request.name!r} already exists") from None
        return NewToken(_token_of(created), secret)

    def list(self, revoked_too: bool = False) -> tuple[ApiToken, ...]:
        """Return the tokens, oldest first."""
        query = sa.select(tokens).order_by(tokens.c.created_at, tokens.c.id)
        if not revoked_too:
            query = query.where(tokens.c.revoked_at.is_(None))
        with self._database.read() as connection:
            return tuple(_token_of(row) for row in connection.execute(query).mappings())

    def exist(self) -> bool:
        """Return whether any token is in force, so that somebody can call."""
        now = self._clock()
        return any(token.is_in_force(now) for token in self.list())

    def any_created(self) -> bool:
        """Return whether a token was ever created: from then on the server is closed, even if all expire."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.exists(tokens.select()))).scalar_one()

    def revoke(self, name: str) -> ApiToken:
        """Revoke a token by its name or prefix, for good. Raises UnknownName."""
        now = self._clock()
        which = tokens.c.revoked_at.is_(None) & ((tokens.c.name == name) | (tokens.c.prefix == name))
        update = sa.update(tokens).where(which).values(revoked_at=now).returning(*tokens.c)
        with self._database.write() as connection:
            # PostgreSQL rejects some characters, such as NUL.
            row = connection.execute(update).mappings().first() if name.isprintable() else None
        if row is None:
            raise UnknownName("token", name, [token.name for token in self.list()])
        return _token_of(row)

    def verify(self, secret: str) -> ApiToken | None:
        """Return the token in force with this secret, or None; record its use."""
        now = self._clock()
        with self._database.read() as connection:
            # Search by the prefix, which is no secret: an index lookup does not take constant time.
            query = sa.select(tokens).where(tokens.c.prefix == secret[:SHOWN])
            rows = connection.execute(query).mappings().all() if _is_storable(secret) else []
        given = _hash(secret)
        for row in rows:
            token = _token_of(row)
            # A constant-time comparison leaks nothing about the hash through its duration.
            if hmac.compare_digest(row["hash"], given) and token.is_in_force(now):
                return self._used(token, now)
        return None

    def _used(self, token: ApiToken, now: float) -> ApiToken:
        # One write per minute at most: a write per request would cost more than the check itself.
        if token.last_used_at is not None and now - token.last_used_at < USED_SECONDS:
            return token
        with self._database.write() as connection:
            connection.execute(sa.update(tokens).where(tokens.c.id == token.id).values(last_used_at=now))
        return replace(token, last_used_at=now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _is_storable(secret: str) -> bool:
    """Return whether the text can be a token at all; PostgreSQL rejects some characters, such as NUL."""
    return secret.startswith(START) and secret.isascii() and secret.isprintable()


def _url_safe_base64(random: bytes) -> str:
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def _format_rate(rate: RateLimit | None) -> str | None:
    return None if rate is None else str(rate)


def _token_of(row: sa.RowMapping) -> ApiToken:
    return ApiToken(
        row["id"],
        row["name"],
        row["prefix"],
        row["scope"],
        None if row["quota"] is None else RateLimit.parse("quota", row["quota"]),
        None if row["rate"] is None else RateLimit.parse("rate", row["rate"]),
        row["created_at"],
        row["expires_at"],
        row["revoked_at"],
        row["last_used_at"],
    )
