"""The middleware stack: what happens to every request before its route and to every response after it.

::

    RequestLogMiddleware     request id, log line, metrics; headers of every response
    CORSMiddleware           Starlette's: preflights and pages of allowed origins
    AccessMiddleware         host, origin and path          (request_limits.py)
    BodyLimitMiddleware      size and speed of the body     (request_limits.py)
    ResponseMiddleware       unexpected exceptions, rate limit headers, HEAD

Plain ASGI, so that streams are not buffered.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import DatabaseError, DiskFull, TunesmithError
from tunesmith.files import is_full
from tunesmith.library.tokens import Allowance
from tunesmith.logs import LimitLog, bind
from tunesmith.server.apis.routing import dialect_of, redact_path
from tunesmith.server.auth import READS, limit_headers
from tunesmith.server.middleware.request_limits import (
    AccessMiddleware,
    AllowedHosts,
    BodyLimitMiddleware,
    BodyLimits,
    Tell,
)

SECURITY_HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
"""Headers against content sniffing, framing and referrer leaks."""

LOCAL_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
PREFLIGHT_SECONDS = 600
HEADER = "x-request-id"
PROBES = ("health", "metrics")
"""The probes that call every few seconds; their lines have level ``debug``."""

NO_ANSWER = 499
"""The status of a request whose client disconnected before the response."""

# A client's id goes into headers and log lines, so it must not hold spaces or line breaks.
_SANE = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
log = logging.getLogger("tunesmith.request")
fault_log = logging.getLogger("tunesmith.server")
QuotaOf = Callable[[str], Awaitable[Allowance | None]]
Count = Callable[["RequestSummary"], None]


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A completed request. ``dialect`` and ``status`` have few values, unlike the path."""

    dialect: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class MiddlewareParts:
    """What the stack needs of the server: ``quota_of`` looks up an owner's quota, ``count`` counts a request."""

    tell: Tell
    names: AllowedHosts
    bodies: BodyLimits
    limit_log: LimitLog
    quota_of: QuotaOf
    count: Count


def add_middleware(app: Starlette, parts: MiddlewareParts) -> None:
    """Add the stack to an app; the last one added runs first."""
    names = parts.names
    # The innermost first: each one added wraps those before it.
    app.add_middleware(ResponseMiddleware, tell=parts.tell, quota_of=parts.quota_of)
    app.add_middleware(BodyLimitMiddleware, tell=parts.tell, limits=parts.bodies, log=parts.limit_log)
    app.add_middleware(AccessMiddleware, tell=parts.tell, names=names)
    # A server on loopback serves this machine's own pages, whatever their port.
    app.add_middleware(
        CORSMiddleware, allow_origins=names.origins, allow_origin_regex=LOCAL_ORIGINS if names.is_local else None,
        allow_methods=["*"], allow_headers=["*"], expose_headers=["*"], max_age=PREFLIGHT_SECONDS,
        # Chromium asks for it before a public page may call an address of the local network.
        allow_private_network=True,
    )  # fmt: skip
    app.add_middleware(RequestLogMiddleware, count=parts.count)


class RequestLogMiddleware:
    """The outermost middleware, so that it also sees what the others refuse.

    It also reduces leading slashes to one, because base URLs often end in a slash. The log line has no query, headers
    or body: those hold secrets.
    """

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; lifespan and websockets pass unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith("//"):
            raw = b"/" + scope["raw_path"].lstrip(b"/")
            scope = {**scope, "path": "/" + scope["path"].lstrip("/"), "raw_path": raw}
        request_id = choose_request_id(Headers(scope=scope).get(HEADER))
        bind(request_id=request_id)
        began, status = time.perf_counter(), NO_ANSWER

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                for name, value in SECURITY_HEADERS.items():
                    # A route may set a value of its own.
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            # The server around this answers 500 to any exception that escapes.
            status = 500 if status == NO_ANSWER else status
            raise
        finally:
            self._over(scope, RequestSummary(dialect_of(scope["path"]), status, time.perf_counter() - began))

    def _over(self, scope: Scope, answered: RequestSummary) -> None:
        self._count(answered)
        level = logging.WARNING if answered.status >= 500 else logging.INFO
        level = logging.DEBUG if answered.dialect in PROBES and level == logging.INFO else level
        log.log(level, "request", extra=_about(scope, answered))


def choose_request_id(given: str | None) -> str:
    """Return the id that the client sent if it is safe to write anywhere, else a new one."""
    return given if given is not None and _SANE.fullmatch(given) else secrets.token_hex(16)


def _about(scope: Scope, answered: RequestSummary) -> MutableMapping[str, Any]:
    client = scope.get("client")
    about = {
        "method": scope["method"],
        "path": redact_path(scope["path"]),
        "dialect": answered.dialect,
        "status": answered.status,
        "seconds": round(answered.seconds, 4),
        "client": client[0] if client else None,
        "owner": getattr(scope.get("state", {}).get("caller"), "owner", None),
    }
    return {name: value for name, value in about.items() if value is not None}


class ResponseMiddleware:
    """The innermost middleware: unexpected exceptions in the API's shape, rate limit headers, and HEAD.

    It logs the details of an exception and hides them. The quota is looked up except for reads, because it costs a
    query and only submissions change it.
    """

    def __init__(self, app: ASGIApp, tell: Tell, quota_of: QuotaOf, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._tell = tell
        self._quota_of = quota_of
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False
        state = scope.setdefault("state", {})

        async def sent(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start" and (left := await self._left(state, scope["method"])):
                headers = MutableHeaders(scope=message)
                for name, value in limit_headers(left, self._clock()).items():
                    headers.setdefault(name, value)
            is_answered = True
            await send(message)

        try:
            await (self._serve_head if scope["method"] == "HEAD" else self._app)(scope, receive, sent)
        except TunesmithError:
            raise
        except ClientDisconnect:
            # The client left during its upload: nobody to answer, and nothing failed here.
            return
        except Exception as error:
            # The response has started, so only a closed connection can signal the failure.
            if is_answered:
                raise
            shown = TunesmithError(type(error).__name__)
            if is_full(error):
                # Such as that of the temporary files that forms are read into.
                shown = DiskFull("the disk is full: the request could not be stored")
                fault_log.error("%s %s failed: the disk is full", scope["method"], redact_path(scope["path"]))
            else:
                fault_log.exception("%s %s failed", scope["method"], redact_path(scope["path"]))
            await self._tell(scope["path"], shown)(scope, receive, send)

    async def _serve_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer like GET without the body, for monitors and link previews, even if the body would never end."""
        with anyio.CancelScope() as serving:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    # Stop the route: an event stream would go on for a client that reads nothing.
                    serving.cancel()

            await self._app({**scope, "method": "GET"}, receive, sent)

    async def _left(self, state: MutableMapping[str, Any], method: str) -> list[Allowance]:
        """Return what is left of the caller's limits."""
        rate = state.get("rate")
        left = [rate] if isinstance(rate, Allowance) else []
        owner = getattr(state.get("caller"), "owner", None)
        if owner is not None and method not in READS:
            try:
                quota = await self._quota_of(owner)
            except DatabaseError:
                # The response matters more than its informational headers.
                quota = None
            left += [quota] if quota else []
        return left
