"""HttpConnection: uvicorn's HTTP/1.1 connection with limits on what a client may keep the server waiting for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tunesmith.server.connections import PER_ADDRESS, TOTAL, ConnectionTable

RETRY_SECONDS = 5
LINGER_SECONDS = 1.0
"""How long a refused connection is kept so that its client can read the answer before the reset that ends it."""

MAX_LINGERING = 64
_STATUSES: Mapping[str, str] = {PER_ADDRESS: "429 Too Many Requests", TOTAL: "503 Service Unavailable"}


class HttpConnection(H11Protocol):
    """A connection that its table knows; ``limited_by`` makes the class for a table."""

    table: ConnectionTable
    host = ""
    _refusal: str | None = None
    _lingering = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it in one short answer."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if isinstance(peer, tuple) else ""
        self._refusal = self.table.admit(self)
        if self._refusal is None:
            super().connection_made(transport)
        else:
            self._refuse(_STATUSES[self._refusal])

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.table.remove(self)
        if self._refusal is None:
            super().connection_lost(exc)
        else:
            type(self)._lingering -= 1

    def data_received(self, data: bytes) -> None:
        """Read a request or a part of one."""
        if self._refusal is not None:
            return
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        """Keep the connection for the next request, which may have come already.

        Where the request was answered before its body came, what is left of it has the time of headers.
        """
        self.table.rest(self)
        if self.conn.their_state is h11.SEND_BODY:
            self.table.receive(self)
        super().on_response_complete()
        if self._is_serving():
            self.table.serve(self)

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self.table.progress(self)
        super().resume_writing()

    def unsent_bytes(self) -> int:
        """Return how much of the answer the operating system has not taken yet."""
        return self.transport.get_write_buffer_size()

    def close_late(self) -> None:
        """Answer 408 if part of a request came, and close."""
        is_between_answers = self.conn.our_state is h11.IDLE
        if is_between_answers and self.conn.trailing_data[0] and not self.transport.is_closing():
            self.transport.write(_answer("408 Request Timeout"))
            self.transport.close()
        else:
            self.abort()

    def abort(self) -> None:
        """Close at once; what is unsent is lost."""
        self.transport.abort()

    def _note(self) -> None:
        if self._is_serving():
            self.table.serve(self)
        else:
            self.table.receive(self)

    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: str) -> None:
        cls = type(self)
        cls._lingering += 1
        self.transport.write(_answer(status, f"retry-after: {RETRY_SECONDS}\r\n"))
        if cls._lingering > MAX_LINGERING:
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def limited_by(table: ConnectionTable) -> type[HttpConnection]:
    """Return the class of connections that a table limits, as uvicorn takes it for ``http``."""
    return type("LimitedHttpConnection", (HttpConnection,), {"table": table})


def _answer(status: str, headers: str = "") -> bytes:
    body = f"{status[4:]}\n"
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        f"{headers}connection: close\r\n\r\n{body}"
    ).encode()
