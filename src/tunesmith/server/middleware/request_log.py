"""RequestLogMiddleware: gives each request an id, logs a line when it ends, and counts it.

Plain ASGI, so that streams are not buffered. The line has no query, headers or body: those hold secrets.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.logs import bind
from tunesmith.server.apis.routing import dialect_of, redact_path

HEADER = "x-request-id"
PROBES = ("health", "metrics")
"""The probes that call every few seconds; their lines have level ``debug``."""

NO_ANSWER = 499
"""The status of a request whose client disconnected before the response."""

# A client's id goes into headers and log lines, so it must not hold spaces or line breaks.
_SANE = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
log = logging.getLogger("tunesmith.request")


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A completed request. ``dialect`` and ``status`` have few values, unlike the path."""

    dialect: str
    status: int
    seconds: float


class RequestLogMiddleware:
    """The outermost middleware, so that it also sees what the others refuse."""

    def __init__(self, app: ASGIApp, count: Callable[[RequestSummary], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; lifespan and websockets pass unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(Headers(scope=scope).get(HEADER))
        bind(request_id=request_id)
        began, status = time.perf_counter(), NO_ANSWER

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
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
