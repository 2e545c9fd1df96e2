"""Security middleware: checks before a request is processed, and headers on every response.

Plain ASGI, so that streams are not buffered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.server.apis.routing import may_hold_recording, redact_path
from tunesmith.server.errors import Forbidden, PayloadTooLarge
from tunesmith.server.middleware.allowed_hosts import AllowedHosts
from tunesmith.server.rate_limiter import READS

SECURITY_HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
PREFLIGHT_SECONDS = 600
MAX_LENGTH_DIGITS = 15
MAX_PATH_CHARACTERS, MAX_QUERY_CHARACTERS = 2_048, 8_192
MAX_BYTES_WITHOUT_RECORDING = 1e6
"""The maximum size of a body on a path that takes no recordings."""

DROP_SECONDS = 5.0
"""How long the rest of too large a body is read and dropped, for clients that read only after sending all."""

Tell = Callable[[str, TunesmithError], Response]
"""A function that returns the response for an error, in the shape that a path's clients expect."""

log = logging.getLogger(__name__)


def add_security_middleware(app: Starlette, tell: Tell, names: AllowedHosts, max_bytes: float) -> None:
    """Add all security middleware to the app; the last one added runs first."""
    app.add_middleware(ServerErrorMiddleware, tell=tell)
    app.add_middleware(BodyLimit, tell=tell, max_bytes=max_bytes)
    app.add_middleware(AddressCheck, tell=tell)
    app.add_middleware(HostCheckMiddleware, tell=tell, names=names)
    # A server on loopback serves this machine's own pages, whatever their port.
    app.add_middleware(
        CORSMiddleware, allow_origins=names.origins, allow_origin_regex=LOCAL_ORIGINS if names.is_local else None,
        allow_methods=["*"], allow_headers=["*"], expose_headers=["*"], max_age=PREFLIGHT_SECONDS,
        allow_private_network=True,
    )  # fmt: skip
    app.add_middleware(SecurityHeadersMiddleware)


class SecurityHeadersMiddleware:
    """Middleware that adds headers against content sniffing, framing and referrer leaks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; lifespan and websockets pass unchanged."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    # A route may set a value of its own.
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


class HostCheckMiddleware:
    """Middleware that refuses requests that a foreign web page makes a browser send to this machine.

    A page may resolve its own name to loopback (DNS rebinding), which shows in Host, or post across origins without a
    preflight, which shows in Origin.
    """

    def __init__(self, app: ASGIApp, tell: Tell, names: AllowedHosts) -> None:
        self._app = app
        self._tell = tell
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or answer 403."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await self._tell(scope["path"], Forbidden(problem))(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._names.has_host(host):
            return f"unknown host {host[:80]!r}; to allow it, add it to the setting allowed_hosts"
        # Reads change nothing, and browsers hide their responses from foreign pages.
        if origin is None or scope["method"] in READS or self._names.has_origin(origin, host):
            return None
        return f"pages of {origin[:80]!r} may not call the server; to allow them, add it to the setting cors_origins"


class AddressCheck:
    """Middleware that refuses paths and queries that are too long or contain NUL, which no database can hold."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, or answer 422."""
        problem = _address_problem(scope["path"], scope["query_string"]) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await self._tell(scope["path"][:MAX_PATH_CHARACTERS], problem)(scope, receive, send)


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


class BodyLimit:
    """Middleware that answers 413 to bodies that are too large, whatever their headers declare.

    ``max_bytes`` applies to paths that take recordings; others have at most MAX_BYTES_WITHOUT_RECORDING.
    """

    def __init__(self, app: ASGIApp, tell: Tell, max_bytes: float) -> None:
        self._app = app
        self._tell = tell
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request, and its body up to the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._max_bytes_at(scope["path"])
        body = _CountedBody(receive, send, max_bytes)
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        # Count the digits first: Python is slow to parse very long integers, or refuses.
        if declared.isdecimal() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > max_bytes):
            body.is_too_large = True
        else:
            await body.served(self._app, scope)
        if body.is_too_large and not body.is_answered:
            # With "Expect: 100-continue" the client waits for the response before it sends the body.
            if "expect" not in headers:
                await body.drop_rest()
            await self._tell(scope["path"], PayloadTooLarge(max_bytes))(scope, receive, send)

    def _max_bytes_at(self, path: str) -> float:
        return self._max_bytes if may_hold_recording(path) else min(self._max_bytes, MAX_BYTES_WITHOUT_RECORDING)


class _CountedBody:
    """A request whose body may exceed the limit; the app's own response is then dropped, as it can only guess why."""

    def __init__(self, receive: Receive, send: Send, max_bytes: float) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._received = 0
        self._more_comes = True
        self.is_too_large = False
        self.is_answered = False

    async def served(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app serve the request."""
        try:
            await app(scope, self._next, self._answer)
        except Exception:
            if not self.is_too_large or self.is_answered:
                raise

    async def drop_rest(self) -> None:
        """Read and drop the rest of the body for a limited time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DROP_SECONDS):
                while self._more_comes:
                    self._more_comes = (await self._receive()).get("more_body", False)

    async def _next(self) -> Message:
        message = await self._receive()
        self._more_comes = message.get("more_body", False)
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            self.is_too_large = True
            raise PayloadTooLarge(self._max_bytes)
        return message

    async def _answer(self, message: Message) -> None:
        if self.is_too_large and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)


class ServerErrorMiddleware:
    """Middleware that answers 500 in the API's shape to unexpected exceptions; it logs the details and hides them."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request."""
        is_answered = False

        async def sent(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except TunesmithError:
            raise
        except ClientDisconnect:
            # The client left during its upload: nobody to answer, and nothing failed here.
            return
        except Exception as error:
            # The response has started, so only a closed connection can signal the failure.
            if scope["type"] != "http" or is_answered:
                raise
            log.exception("%s %s failed", scope["method"], redact_path(scope["path"]))
            await self._tell(scope["path"], TunesmithError(type(error).__name__))(scope, receive, send)
