"""Request limits: by which names, from which pages and with which paths the server is called, and how large and slow a
body may be.

Plain ASGI, so that streams are not buffered. A refusal has the shape of the API called.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.logs import LimitLog
from tunesmith.server.apis.routing import may_hold_recording
from tunesmith.server.auth import READS
from tunesmith.server.errors import BodiesFull, Forbidden, PayloadTooLarge, RequestTimeout

EVERYTHING = "*"
MAX_LENGTH_DIGITS = 15
MAX_PATH_CHARACTERS, MAX_QUERY_CHARACTERS = 2_048, 8_192
MAX_BYTES_WITHOUT_RECORDING = 10**6
"""The maximum size of a body on a path that takes no recordings."""

DROP_SECONDS = 5.0
"""How long the rest of too large a body is read and dropped, for clients that read only after sending all."""

MIN_BYTES_PER_SECOND = 1000
"""The average rate that a body must reach after the first seconds: 1 MB may take 17 minutes."""

BODIES_IN_FLIGHT = 8
"""How many bodies of the largest size fit in memory at once."""

SMALL_BODY_BYTES = 10**6

Tell = Callable[[str, TunesmithError], Response]
"""A function that returns the response for an error, in the shape that a path's clients expect."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusted_proxies(settings: Settings) -> list[str]:
    """Return the proxies trusted to state a caller's address. Raises InvalidRequest for an invalid address."""
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            problem = f"must be addresses or networks such as 10.0.0.0/8, got {proxy[:80]!r}"
            raise InvalidRequest("setting trusted_proxies", problem) from None
    return list(settings.trusted_proxies)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The host names of a server, and the origins of pages that may call it; ``*`` allows all."""

    hosts: frozenset[str]
    origins: frozenset[str]
    is_local: bool

    @classmethod
    def of(cls, settings: Settings, listening: str | None) -> AllowedHosts:
        """Return the names for a listening address; None if it is unknown, as inside another app."""
        local = listening is not None and is_loopback(listening)
        public = settings.public_url or ""
        own = {name for name in (_name(public), (listening or "").lower()) if name}
        # A public server is called by any name; only a local one is worth a DNS rebinding attack.
        checks = local or bool(settings.allowed_hosts)
        hosts = own | {host.lower() for host in settings.allowed_hosts} if checks else {EVERYTHING}
        origins = {origin.rstrip("/") for origin in (*settings.cors_origins, _origin(public)) if origin}
        return cls(frozenset(hosts), frozenset(origins), local)

    def has_host(self, header: str) -> bool:
        """Return whether a Host header is allowed; names of this machine always are."""
        if EVERYTHING in self.hosts:
            return True
        name = _name(f"//{header}")
        return bool(name) and (name in self.hosts or is_loopback(name))

    def has_origin(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may change things here."""
        # A server that is not local relies on tokens, which a foreign page does not have.
        if not self.is_local or EVERYTHING in self.origins or origin in self.origins:
            return True
        parts = urlsplit(origin) if _name(origin) else None
        return parts is not None and (parts.netloc.lower() == host.lower() or is_loopback(parts.hostname or ""))


def _name(url: str) -> str:
    """Return the host of a URL in lower case, empty if there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class AccessMiddleware:
    """Middleware that refuses foreign web pages that make a browser call this machine, and paths that nothing can hold.

    A page may resolve its own name to loopback (DNS rebinding), which shows in Host, or post across origins without a
    preflight, which shows in Origin.
    """

    def __init__(self, app: ASGIApp, tell: Tell, names: AllowedHosts) -> None:
        self._app = app
        self._tell = tell
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or answer 403 or 422."""
        problem = self._problem(scope) if scope["type"] in ("http", "websocket") else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await self._tell(scope["path"][:MAX_PATH_CHARACTERS], problem)(scope, receive, send)

    def _problem(self, scope: Scope) -> TunesmithError | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._names.has_host(host):
            return Forbidden(f"unknown host {host[:80]!r}; to allow it, add it to the setting allowed_hosts")
        # Reads change nothing, and browsers hide their responses from foreign pages.
        is_read = scope["type"] == "http" and scope["method"] in READS
        # A WebSocket is no read: pages of any origin may open and hear one, and no preflight is sent.
        if origin is None or is_read or self._names.has_origin(origin, host):
            return _address_problem(scope["path"], scope["query_string"])
        return Forbidden(
            f"pages of {origin[:80]!r} may not call the server; to allow them, add it to the setting cors_origins"
        )


def _address_problem(path: str, query: bytes) -> InvalidRequest | None:
    for name, length, most in (("path", len(path), MAX_PATH_CHARACTERS), ("query", len(query), MAX_QUERY_CHARACTERS)):
        if length > most:
            return InvalidRequest(name, f"must be at most {most} characters, got {length}")
    if "\0" in path:
        return InvalidRequest("path", "must not contain the character NUL")
    nul = next((pair for pair in query.split(b"&") if b"%00" in pair or b"\0" in pair), None)
    if nul is None:
        return None
    name = nul.partition(b"=")[0].decode("latin-1")
    return InvalidRequest(name[:80] if name.isprintable() else "query", "must not contain the character NUL")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Limits on bodies: ``seconds`` without a byte, bytes per body with a recording, and bytes of all bodies together.

    A body on a path that takes no recordings has at most MAX_BYTES_WITHOUT_RECORDING.
    """

    seconds: float
    max_bytes: int = sys.maxsize
    max_bytes_in_flight: float = float("inf")

    @classmethod
    def of(cls, settings: Settings) -> BodyLimits:
        """Return the limits that the settings give."""
        largest = round(settings.max_body_megabytes * 1e6)
        return cls(settings.body_timeout_seconds, largest, BODIES_IN_FLIGHT * largest)

    def max_bytes_at(self, path: str) -> int:
        """Return the largest size of a body at a path, in bytes."""
        return self.max_bytes if may_hold_recording(path) else min(self.max_bytes, MAX_BYTES_WITHOUT_RECORDING)


class BytesInFlight:
    """The bytes of all bodies in memory; small bodies are never refused."""

    def __init__(self, max_bytes: float) -> None:
        self.max_bytes = max_bytes
        self._bytes = 0

    def add(self, size: int, of_body: int) -> None:
        """Count ``size`` bytes of a body with ``of_body`` bytes so far. Raises BodiesFull."""
        self._bytes += size
        if self._bytes > self.max_bytes and of_body > SMALL_BODY_BYTES:
            raise BodiesFull(self.max_bytes)

    def remove(self, size: int) -> None:
        """Discount bytes that the application no longer holds."""
        self._bytes -= size


class BodyLimitMiddleware:
    """Middleware that limits bodies: 413 if too large, 408 if too slow (slowloris), 503 if there is no memory for them.

    The size counts, whatever the headers declare. Slow is ``seconds`` without a byte, or below the minimum rate; only
    time in which the application waits for the body counts.
    """

    def __init__(self, app: ASGIApp, tell: Tell, limits: BodyLimits, log: LimitLog) -> None:
        self._app = app
        self._tell = tell
        self._limits = limits
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight)
        self._log = log
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and its body up to the limits."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if headers is None or not _has_body(headers):
            await self._app(scope, receive, send)
            return
        max_bytes = self._limits.max_bytes_at(scope["path"])
        body = _LimitedBody(receive, send, self._limits.seconds, max_bytes, self._in_flight, self._turn)
        declared = headers.get("content-length", "")
        # Count the digits first: Python is slow to parse very long integers, or refuses.
        if declared.isdecimal() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > max_bytes):
            body.refusal = PayloadTooLarge(max_bytes)
        else:
            await body.served_by(self._app, scope)
        if body.refusal is None or body.is_answered:
            return
        if body.refusal_reason is not None:
            client = scope.get("client")
            reason, setting = body.refusal_reason
            self._log.report(reason, f"{body.refusal} ({setting})", client[0] if client else None)
        # With "Expect: 100-continue" the client waits for the response before it sends the body.
        elif "expect" not in headers:
            await body.drop_rest()
        await self._tell(scope["path"], body.refusal)(scope, receive, send)


class _LimitedBody:
    """A request whose body may be refused; the app's own response is then dropped, as it can only guess why.

    ``turn`` is a lock that all bodies share.
    """

    def __init__(
        self, receive: Receive, send: Send, seconds: float, max_bytes: int, in_flight: BytesInFlight, turn: asyncio.Lock
    ) -> None:
        self._receive = receive
        self._send = send
        self._seconds = self._allowed = seconds
        self._max_bytes = max_bytes
        self._in_flight = in_flight
        self._turn = turn
        self._received = self._held = 0
        self._more_comes = True
        self.refusal: RequestTimeout | BodiesFull | PayloadTooLarge | None = None
        self.is_answered = False

    @property
    def refusal_reason(self) -> tuple[str, str] | None:
        """The name of the refusal in the log and the metrics, and the setting behind it; None if it is not logged."""
        return REASONS.get(type(self.refusal))

    async def served_by(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app serve the request."""
        try:
            await app(scope, self._next, self._answer)
        # Whatever the application does with the interruption, the client gets the refusal.
        except Exception:
            if self.refusal is None or self.is_answered:
                raise
        finally:
            self._release()

    async def drop_rest(self) -> None:
        """Read and drop the rest of the body for a limited time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DROP_SECONDS):
                while self._more_comes:
                    self._more_comes = (await self._receive()).get("more_body", False)

    async def _next(self) -> Message:
        """Return the next part of the body; after its end, wait for the disconnect without a time limit."""
        if not self._more_comes:
            # An application that waits for the disconnect is done with the body.
            self._release()
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._seconds, self._allowed)):
                message = await self._receive()
            size = len(message.get("body", b""))
            self._more_comes = message.get("more_body", False)
            self._count(size)
        except TimeoutError:
            self.refusal = RequestTimeout(self._seconds, MIN_BYTES_PER_SECOND)
            # Hundreds may time out at the same moment: yield to other requests between two of them.
            async with self._turn:
                await asyncio.sleep(0)
            raise self.refusal from None
        except (BodiesFull, PayloadTooLarge) as error:
            self.refusal = error
            raise
        # Each byte buys time at the minimum rate, so a slow but steady client may finish.
        self._allowed += size / MIN_BYTES_PER_SECOND - (time.monotonic() - began)
        return message

    async def _answer(self, message: Message) -> None:
        if self.refusal is not None and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)

    def _count(self, size: int) -> None:
        self._received += size
        if self._received > self._max_bytes:
            raise PayloadTooLarge(self._max_bytes)
        self._held += size
        self._in_flight.add(size, self._held)

    def _release(self) -> None:
        """Stop counting the body."""
        self._in_flight.remove(self._held)
        self._held = 0


REASONS: Mapping[type[object], tuple[str, str]] = {
    RequestTimeout: ("body", "body_timeout_seconds"),
    BodiesFull: ("bodies", "max_body_megabytes"),
}


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
