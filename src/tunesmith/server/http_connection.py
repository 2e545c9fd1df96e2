"""HttpConnection: uvicorn's HTTP/1.1 connection with limits on how long a client may keep the server waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tunesmith.server.connections import PER_ADDRESS, TOTAL, ConnectionTable

RETRY_SECONDS = 5
LINGER_SECONDS = 1.0
"""How long a refused connection lingers, so that its client can read the response before the reset."""

# More refused connections are closed at once: they must not use up the file descriptors.
MAX_LINGERING = 64
_STATUSES: Mapping[str, str] = {PER_ADDRESS: "429 Too Many Requests", TOTAL: "503 Service Unavailable"}


class HttpConnection(H11Protocol):
    """A connection that reports to its table; ``limited_by`` creates the class for a table."""

    table: ConnectionTable
    host = ""
    _refusal: str | None = None
    _lingering = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it with a short response."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if isinstance(peer, tuple) else ""
        self._refusal = self.table.admit(self)
        if self._refusal is None:
            super().connection_made(transport)
        else:
            self._refuse(_STATUSES[self._refusal])

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the table."""
        self.table.remove(self)
        # A refused connection was never set up in the parent class.
        if self._refusal is None:
            super().connection_lost(exc)
        else:
            type(self)._lingering -= 1

    def data_received(self, data: bytes) -> None:
        """Receive a request or a part of one."""
        if self._refusal is not None:
            return
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        """Keep the connection for the next request, which may be here already.

        After an early response, the rest of the request's body gets the time limit of headers.
        """
        self.table.rest(self)
        if self.conn.their_state is h11.SEND_BODY:
            self.table.receive(self)
        super().on_response_complete()
        if self._is_serving():
            self.table.serve(self)

    def resume_writing(self) -> None:
        """Resume writing the response."""
        self.table.progress(self)
        super().resume_writing()

    def unsent_bytes(self) -> int:
        """Return the bytes of the response that the operating system has not accepted yet."""
        return self.transport.get_write_buffer_size()

    def close_late(self) -> None:
        """Answer 408 if part of a request was received, and close."""
        is_between_answers = self.conn.our_state is h11.IDLE
        # A response in progress must not get a second status line in its middle.
        if is_between_answers and self.conn.trailing_data[0] and not self.transport.is_closing():
            self.transport.write(_answer("408 Request Timeout"))
            self.transport.close()
        else:
            self.abort()

    def abort(self) -> None:
        """Close at once; unsent data is lost."""
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
        # Closing with unread input resets the connection, which can destroy the response on its way: end our side
        # first.
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def limited_by(table: ConnectionTable) -> type[HttpConnection]:
    """Return a connection class limited by a table, for uvicorn's ``http`` option."""
    return type("LimitedHttpConnection", (HttpConnection,), {"table": table})


def _answer(status: str, headers: str = "") -> bytes:
    body = f"{status[4:]}\n"
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        f"{headers}connection: close\r\n\r\n{body}"
    ).encode()
