"""WebSockets with the server's limits on connections: uvicorn's protocol, which tells the table of its end."""

from __future__ import annotations

from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket that its table of connections watches."""

    _end: Callable[[], None] | None = None
    _progress: Callable[[], None] | None = None

    def watch(self, end: Callable[[], None], progress: Callable[[], None]) -> None:
        """Call ``end`` when the connection is closed, and ``progress`` when its client has read."""
        self._end, self._progress = end, progress

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell of the end."""
        super().connection_lost(exc)
        if self._end is not None:
            self._end()

    def resume_writing(self) -> None:
        """Tell of progress."""
        super().resume_writing()
        if self._progress is not None:
            self._progress()

    def handle_connect(self, event: Request) -> None:
        """Accept or refuse the handshake, without a query: it may hold secrets, and uvicorn logs it."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            self.scope["query_string"] = b""
