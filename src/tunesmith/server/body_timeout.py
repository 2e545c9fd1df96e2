"""Bodies: those that do not arrive are answered with 408, and large ones beyond what the server receives with 503.

Both in the shape of the API that was called.
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
from tunesmith.server.errors import BodiesFull, RequestTimeout
from tunesmith.server.limit_log import LimitLog
from tunesmith.server.middleware.security import Tell

MIN_BYTES_PER_SECOND = 1000
"""What a body must arrive with on average after the first seconds: a recording of 1 MB may take 17 minutes."""

BODIES_IN_FLIGHT = 8
"""How many bodies of the largest size are received at once."""

SMALL_BODY_BYTES = 10**6


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """``seconds`` without a byte of a body, what one body holds at most, and what all may hold together."""

    seconds: float
    max_bytes: int = sys.maxsize
    max_bytes_in_flight: float = float("inf")


class BytesInFlight:
    """The bytes of all bodies that are being received or read at the moment; small bodies are never refused."""

    def __init__(self, max_bytes: float) -> None:
        self.max_bytes = max_bytes
        self._bytes = 0

    def add(self, size: int, of_body: int) -> None:
        """Count bytes of a body that has so many by now; raises BodiesFull."""
        self._bytes += size
        if self._bytes > self.max_bytes and of_body > SMALL_BODY_BYTES:
            raise BodiesFull(self.max_bytes)

    def remove(self, size: int) -> None:
        """Count no longer what an application has read and is done with."""
        self._bytes -= size


class BodyTimeout:
    """Middleware that stops waiting for a body after ``seconds`` without a byte, or when it is slower than allowed.

    Only time in which the application waits for the body counts. It also bounds what all bodies hold in memory.
    """

    def __init__(self, app: ASGIApp, tell: Tell, limits: BodyLimits, log: LimitLog) -> None:
        self._app = app
        self._tell = tell
        self._limits = limits
        self._in_flight = BytesInFlight(limits.max_bytes_in_flight)
        self._log = log
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 408 where its body did not arrive, 503 where there is no room for it."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _GuardedBody(receive, send, self._limits, self._in_flight, self._turn)
        try:
            await self._app(scope, body.receive, body.send)
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
    """A request whose body may end in a refusal; what the application then answers is dropped for that.

    ``turn`` is shared by all bodies.
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
        """Return the next part of the body; after its end wait for the client to hang up, for as long as it takes."""
        if not self._more_comes:
            self.release()  # who waits for a hang-up is done with the body
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._seconds, self._allowed)):
                message = await self._receive()
            self._hold(len(message.get("body", b"")))
        except TimeoutError:
            self.refusal = RequestTimeout(self._seconds, MIN_BYTES_PER_SECOND)
            async with self._turn:  # hundreds may be late at the same moment: others are served between two of them
                await asyncio.sleep(0)
            raise self.refusal from None
        except BodiesFull as error:
            self.refusal = error
            raise
        self._more_comes = message.get("more_body", False)
        self._allowed += len(message.get("body", b"")) / MIN_BYTES_PER_SECOND - (time.monotonic() - began)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if self.refusal is not None and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)

    def release(self) -> None:
        """Count the body no longer."""
        self._in_flight.remove(self._held)
        self._held = 0

    def _hold(self, size: int) -> None:
        held = min(size, self._max_bytes - self._held)  # what is beyond is read to be dropped
        self._held += held
        self._in_flight.add(held, self._held)


REASONS: Mapping[type[TunesmithError], tuple[str, str]] = {
    RequestTimeout: ("body", "body_timeout_seconds"),
    BodiesFull: ("bodies", "max_body_megabytes"),
}
"""What a refusal is called in the log and the metrics, and the setting behind it."""


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
