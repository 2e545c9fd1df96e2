"""Safety: what is refused before anything else looks at a request, and what every answer carries.

All of it is plain ASGI, so that streams pass as they come.
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
"""How large a body may be on a path that takes no recordings."""

DROP_SECONDS = 5.0
"""How long the rest of a body that is too large is read and dropped, for clients which listen only once all is sent."""

Tell = Callable[[str, TunesmithError], Response]
"""Says an error in the shape that the clients of a path read."""

log = logging.getLogger(__name__)


def add_security_middleware(app: Starlette, tell: Tell, names: AllowedHosts, max_bytes: float) -> None:
    """Put the app behind all of it; what is added last meets a request first."""
    app.add_middleware(ServerErrorMiddleware, tell=tell)
    app.add_middleware(BodyLimit, tell=tell, max_bytes=max_bytes)
    app.add_middleware(AddressCheck, tell=tell)
    app.add_middleware(HostCheckMiddleware, tell=tell, names=names)
    app.add_middleware(
        CORSMiddleware, allow_origins=names.origins, allow_origin_regex=LOCAL_ORIGINS if names.is_local else None,
        allow_methods=["*"], allow_headers=["*"], expose_headers=["*"], max_age=PREFLIGHT_SECONDS,
        allow_private_network=True,
    )  # fmt: skip
    app.add_middleware(SecurityHeadersMiddleware)


class SecurityHeadersMiddleware:
    """Middleware that adds headers which keep browsers from guessing, framing and telling."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; lifespan and websockets as they are."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


class HostCheckMiddleware:
    """Middleware that refuses what a web page elsewhere makes a browser send to this machine.

    A page may let its own name lead to loopback (DNS rebinding), which shows in Host, or post across origins without
    asking first, which shows in Origin.
    """

    def __init__(self, app: ASGIApp, tell: Tell, names: AllowedHosts) -> None:
        self._app = app
        self._tell = tell
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await self._tell(scope["path"], Forbidden(problem))(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._names.has_host(host):
            return f"the server is not called {host[:80]!r}; if it should be, add that to the setting allowed_hosts"
        if origin is None or scope["method"] in READS or self._names.has_origin(origin, host):
            return None
        return f"pages of {origin[:80]!r} may not call the server; if they should, add it to the setting cors_origins"


class AddressCheck:
    """Middleware that refuses addresses which are too long, and those with a NUL, which no name or text may hold."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 422."""
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
    """Middleware that answers 413 to bodies that are too large, whatever their headers say.

    ``max_bytes`` is for paths that take recordings; for others it is at most MAX_BYTES_WITHOUT_RECORDING.
    """

    def __init__(self, app: ASGIApp, tell: Tell, max_bytes: float) -> None:
        self._app = app
        self._tell = tell
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its body as far as it may go."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._max_bytes_at(scope["path"])
        body = _CountedBody(receive, send, max_bytes)
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > max_bytes):
            body.is_too_large = True
        else:
            await body.served(self._app, scope)
        if body.is_too_large and not body.is_answered:
            if "expect" not in headers:
                await body.drop_rest()
            await self._tell(scope["path"], PayloadTooLarge(max_bytes))(scope, receive, send)

    def _max_bytes_at(self, path: str) -> float:
        return self._max_bytes if may_hold_recording(path) else min(self._max_bytes, MAX_BYTES_WITHOUT_RECORDING)


class _CountedBody:
    """A request whose body ends in TooLarge; what the app then says of it is dropped, for it can only guess why."""

    def __init__(self, receive: Receive, send: Send, max_bytes: float) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._received = 0
        self._more_comes = True
        self.is_too_large = False
        self.is_answered = False

    async def served(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app serve it."""
        try:
            await app(scope, self._next, self._answer)
        except Exception:
            if not self.is_too_large or self.is_answered:
                raise

    async def drop_rest(self) -> None:
        """Read what still comes, for a while."""
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
    """Middleware that answers 500 in the dialect's shape for what nobody foresaw, and logs it; the answer hides it."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
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
            return  # while its body was read: there is nobody to answer, and nothing failed here
        except Exception as error:
            if scope["type"] != "http" or is_answered:
                raise
            log.exception("%s %s failed", scope["method"], redact_path(scope["path"]))
            await self._tell(scope["path"], TunesmithError(type(error).__name__))(scope, receive, send)
