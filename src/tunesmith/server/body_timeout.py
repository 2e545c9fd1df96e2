"""Limits on request bodies: 408 if one does not arrive, 503 if large ones exceed the memory for bodies.

The response has the shape of the API called.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import TunesmithError
from tunesmith.logs import LimitLog
from tunesmith.server.errors import BodiesFull, RequestTimeout
from tunesmith.server.middleware.security import Tell

MIN_BYTES_PER_SECOND = 1000
"""The average rate that a body must reach after the first seconds: 1 MB may take 17 minutes."""

BODIES_IN_FLIGHT = 8
"""How many bodies of the largest size fit in memory at once."""

SMALL_BODY_BYTES = 10**6


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Limits on bodies: ``seconds`` without a byte, bytes per body, and bytes of all bodies together."""

    seconds: float
    max_bytes: int = sys.maxsize
    max_bytes_in_flight: float = float("inf")


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


class BodyTimeout:
    """Middleware against slow bodies (slowloris): 408 after ``seconds`` without a byte, or below the minimum rate.

    Only time in which the application waits for the body counts. It also bounds the memory of all bodies together.
    """

    def __init__(self, app: ASGIApp, tell: Tell, limits: BodyLimits, log: LimitLog) -> None:
        self._app = app
        self._tell = tell
        self._limits = limits
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight)
        self._log = log
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; answer 408 if its body does not arrive, 503 if there is no room for it."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _GuardedBody(receive, send, self._limits, self._in_flight, self._turn)
        try:
            await self._app(scope, body.receive, body.send)
        # Whatever the application does with the interruption, the client gets the refusal.
        except Exception:
            if body.refusal is None or body.is_answered:
                raise
        finally:
            body.release()
        if body.refusal is not None and not body.is_answered:
            client = scope.get("client")
            reason, setting = REASONS[type(body.refusal)]
            self._log.report(reason, f"{body.refusal} ({setting})", client[0] if client else None)
            await self._tell(scope["path"], body.refusal)(scope, receive, send)


class _GuardedBody:
    """A request whose body may be refused; the application's own response is then dropped.

    ``turn`` is a lock that all bodies share.
    """

    def __init__(
        self, receive: Receive, send: Send, limits: BodyLimits, in_flight: BytesInFlight, turn: asyncio.Lock
    ) -> None:
        self._receive = receive
        self._send = send
        self._seconds = self._allowed = limits.seconds
        self._max_bytes = limits.max_bytes
        self._in_flight = in_flight
        self._turn = turn
        self._held = 0
        self._more_comes = True
        self.refusal: RequestTimeout | BodiesFull | None = None
        self.is_answered = False

    async def receive(self) -> Message:
        """Return the next part of the body; after its end, wait for the disconnect without a time limit."""
        if not self._more_comes:
            # An application that waits for the disconnect is done with the body.
            self.release()
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._seconds, self._allowed)):
                message = await self._receive()
            self._hold(len(message.get("body", b"")))
        except TimeoutError:
            self.refusal = RequestTimeout(self._seconds, MIN_BYTES_PER_SECOND)
            # Hundreds may time out at the same moment: yield to other requests between two of them.
            async with self._turn:
                await asyncio.sleep(0)
            raise self.refusal from None
        except BodiesFull as error:
            self.refusal = error
            raise
        self._more_comes = message.get("more_body", False)
        # Each byte buys time at the minimum rate, so a slow but steady client may finish.
        self._allowed += len(message.get("body", b"")) / MIN_BYTES_PER_SECOND - (time.monotonic() - began)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if self.refusal is not None and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)

    def release(self) -> None:
        """Stop counting the body."""
        self._in_flight.remove(self._held)
        self._held = 0

    def _hold(self, size: int) -> None:
        # Bytes beyond the limit are read only to be dropped.
        held = min(size, self._max_bytes - self._held)
        self._held += held
        self._in_flight.add(held, self._held)


REASONS: Mapping[type[TunesmithError], tuple[str, str]] = {
    RequestTimeout: ("body", "body_timeout_seconds"),
    BodiesFull: ("bodies", "max_body_megabytes"),
}
"""The name of a refusal in the log and the metrics, and the setting behind it."""


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
