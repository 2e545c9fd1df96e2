"""Body time-out: a request whose body does not arrive is answered with 408 in the shape of the API it called."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.errors import TunesmithError
from tunesmith.server.limit_log import LimitLog
from tunesmith.server.safety import Tell

MIN_BYTES_PER_SECOND = 1000
"""What a body must arrive with on average after the first seconds: a recording of 1 MB may take 17 minutes."""

REASON = "body"


class RequestTimeout(TunesmithError):
    """The body of a request did not arrive in time."""

    def __init__(self, seconds: float) -> None:
        problem = f"no byte of it came for {seconds:g} s, or less than {MIN_BYTES_PER_SECOND} bytes a second"
        super().__init__(f"the body of the request did not arrive: {problem}")
        self.headers = {"Connection": "close"}


class BodyTimeout:
    """Middleware that stops waiting for a body after ``seconds`` without a byte, or when it is slower than allowed.

    Only time in which the application waits for the body counts.
    """

    def __init__(self, app: ASGIApp, tell: Tell, seconds: float, log: LimitLog) -> None:
        self._app = app
        self._tell = tell
        self._seconds = seconds
        self._log = log
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 408 where its body did not arrive."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        body = _TimedBody(receive, send, self._seconds, self._turn)
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:
            if not body.is_late or body.is_answered:
                raise
        if body.is_late and not body.is_answered:
            client = scope.get("client")
            error = RequestTimeout(self._seconds)
            self._log.report(REASON, f"{error} (body_timeout_seconds)", client[0] if client else None)
            await self._tell(scope["path"], error)(scope, receive, send)


class _TimedBody:
    """A request whose body ends in RequestTimeout; what the application then answers is dropped for the 408.

    ``turn`` is shared by all bodies.
    """

    def __init__(self, receive: Receive, send: Send, seconds: float, turn: asyncio.Lock) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._turn = turn
        self._allowed = seconds
        self._more_comes = True
        self.is_late = False
        self.is_answered = False

    async def receive(self) -> Message:
        """Return the next part of the body; after its end wait for the client to hang up, for as long as it takes."""
        if not self._more_comes:
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._seconds, self._allowed)):
                message = await self._receive()
        except TimeoutError:
            self.is_late = True
            async with self._turn:  # hundreds may be late at the same moment: others are served between two of them
                await asyncio.sleep(0)
            raise RequestTimeout(self._seconds) from None
        self._more_comes = message.get("more_body", False)
        self._allowed += len(message.get("body", b"")) / MIN_BYTES_PER_SECOND - (time.monotonic() - began)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if self.is_late and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
