"""Connections: how many the server holds, how long each may keep it waiting, and uvicorn's protocol with these limits.

::

    admitted ──► waiting for headers ──► serving (body, work, response) ──► idle ──► waiting for headers …
                 header_seconds          send_seconds without progress      idle_seconds

During a request the client may stay silent for any time: long polls, event streams and calls that wait for the audio
do. Only unread responses are timed then. ``middleware/limits.py`` handles slow bodies, because its response has the
shape of the API called.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, cast, runtime_checkable

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tunesmith.library.clock import Clock
from tunesmith.logs import LimitLog
from tunesmith.server.auth import IpNetwork, address_group, is_local_or_in
from tunesmith.server.joined_writes import JoinedWrites

HEADERS, SENDING, PER_ADDRESS, TOTAL = "headers", "sending", "connections_per_address", "connections"
"""The reasons for refusing or closing a connection."""

CLOSED_AT_ONCE = 32
"""How many connections are closed when the system is out of file descriptors."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits in seconds and numbers of connections. Loopback and ``proxies`` are exempt from ``per_address``."""

    header_seconds: float = 20.0
    idle_seconds: float = 75.0
    send_seconds: float = 60.0
    total: int = 10_000
    per_address: int = 256
    proxies: tuple[IpNetwork, ...] = ()

    @property
    def sweep_seconds(self) -> float:
        """The interval between checks of the timeouts."""
        # A connection is closed at most a quarter of its limit too late.
        return min(self.header_seconds, self.send_seconds) / 4


@dataclass(slots=True)
class _Unsent:
    """The unsent bytes at the last check, and the time since when none was sent."""

    bytes: int
    since: float


class ConnectionTable:
    """A table of all open connections by state. Use it from one event loop."""

    def __init__(self, limits: ConnectionLimits, log: LimitLog | None = None, clock: Clock = time.monotonic) -> None:
        self.limits = limits
        self._log = log or LimitLog()
        self._clock = clock
        self._open: dict[HttpConnection, _Unsent] = {}
        self._per_address: Counter[str] = Counter()
        # Ordered by age, so that the oldest is found without a search.
        self._idle: OrderedDict[HttpConnection, float] = OrderedDict()
        self._receiving: OrderedDict[HttpConnection, float] = OrderedDict()
        self._ran_out_at = float("-inf")

    def __len__(self) -> int:
        return len(self._open)

    def is_waiting(self) -> bool:
        """Return whether any connection is without a request."""
        return bool(self._idle or self._receiving)

    def admit(self, connection: HttpConnection) -> str | None:
        """Add a new connection; return None, or the reason to refuse it.

        If ``total`` is reached, the connection that has waited longest without a request is closed.
        """
        host, limits = connection.host, self.limits
        group = address_group(host)
        if self._per_address[group] >= limits.per_address and not is_local_or_in(host, limits.proxies):
            problem = f"more than {limits.per_address} connections from one address (max_connections_per_address)"
            self._log.report(PER_ADDRESS, problem, host)
            return PER_ADDRESS
        if len(self._open) >= limits.total:
            problem = f"more than {limits.total} connections (max_connections, open files)"
            self._log.report(TOTAL, problem, host)
            if not self.make_room():
                return TOTAL
        self._open[connection] = _Unsent(0, 0.0)
        self._per_address[group] += 1
        self._receiving[connection] = self._clock()
        return None

    def remove(self, connection: HttpConnection) -> None:
        """Remove a connection that is closed or closing; removing it twice is harmless."""
        if self._open.pop(connection, None) is None:
            return
        self._idle.pop(connection, None)
        self._receiving.pop(connection, None)
        group = address_group(connection.host)
        self._per_address[group] -= 1
        # Remove counters of zero, or the table would grow with every address ever seen.
        if not self._per_address[group]:
            del self._per_address[group]

    def receive(self, connection: HttpConnection) -> None:
        """Record that a part of a request's headers was received."""
        # Only the first byte starts the clock: trickled headers must not restart it (slowloris).
        if self._idle.pop(connection, None) is not None:
            self._receiving[connection] = self._clock()

    def serve(self, connection: HttpConnection) -> None:
        """Record that a request is being served."""
        self._idle.pop(connection, None)
        self._receiving.pop(connection, None)

    def rest(self, connection: HttpConnection) -> None:
        """Record that a response is complete and the connection stays open."""
        if connection in self._open:
            self._receiving.pop(connection, None)
            self._idle[connection] = self._clock()

    def run_out(self, reason: str, problem: str) -> None:
        """Close the connections that have waited longest, because the system is out of file descriptors.

        Reports of that can come thousands of times a second, so this acts at most once a second.
        """
        self._log.report(reason, problem)
        now = self._clock()
        if now - self._ran_out_at >= 1:
            self._ran_out_at = now
            for _ in range(CLOSED_AT_ONCE):
                self.make_room()

    def progress(self, connection: HttpConnection) -> None:
        """Record that the client has read enough for more to be written."""
        if connection in self._open:
            self._open[connection].since = self._clock()

    def make_room(self) -> bool:
        """Close the connection that has waited longest without a request; return whether there was one."""
        # A connection with unsent data still serves its last response.
        waiting = (one for one in chain(self._idle, self._receiving) if not one.unsent_bytes())
        connection = next(waiting, None)
        if connection is None:
            return False
        self.remove(connection)
        connection.abort()
        return True

    def sweep(self) -> None:
        """Close connections that are too slow."""
        now = self._clock()
        self._close_late_headers(now)
        for connection, unsent in list(self._open.items()):
            if self._is_stuck(connection, unsent, now):
                self._log.report(SENDING, self._seconds("the response was not read", "send"), connection.host)
                self.remove(connection)
                connection.abort()

    def _close_late_headers(self, now: float) -> None:
        while self._receiving:
            connection, since = next(iter(self._receiving.items()))
            if now - since < self.limits.header_seconds:
                return
            self._log.report(HEADERS, self._seconds("no complete headers arrived", "header"), connection.host)
            # It still counts as open: its last response may be unsent.
            self._receiving.pop(connection)
            connection.close_late()

    def _is_stuck(self, connection: HttpConnection, unsent: _Unsent, now: float) -> bool:
        before, unsent.bytes = unsent.bytes, connection.unsent_bytes()
        if before == 0 or unsent.bytes < before:
            unsent.since = now
        return unsent.bytes > 0 and now - unsent.since >= self.limits.send_seconds

    def _seconds(self, what: str, which: str) -> str:
        return f"{what} within {getattr(self.limits, f'{which}_seconds'):g} s ({which}_timeout_seconds)"


RETRY_SECONDS = 5
LINGER_SECONDS = 1.0
"""How long a refused connection lingers, so that its client can read the response before the reset."""

# More refused connections are closed at once: they must not use up the file descriptors.
MAX_LINGERING = 64
_STATUSES: Mapping[str, str] = {PER_ADDRESS: "429 Too Many Requests", TOTAL: "503 Service Unavailable"}


@runtime_checkable
class WatchedSocket(Protocol):
    """A WebSocket that tells of its end, and of progress in what it sends."""

    def watch(self, end: Callable[[], None], progress: Callable[[], None]) -> None:
        """Call ``end`` when it is closed, and ``progress`` when its client has read."""
        ...


class HttpConnection(H11Protocol):
    """A connection that reports to its table; ``limited_by`` creates the class for a table."""

    table: ConnectionTable
    host = ""
    _joined: JoinedWrites
    _refusal: str | None = None
    _is_socket = False
    _lingering = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or refuse it with a short response."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if isinstance(peer, tuple) else ""
        self._refusal = self.table.admit(self)
        if self._refusal is None:
            self._joined = JoinedWrites(transport, self.loop)
            super().connection_made(cast("asyncio.Transport", self._joined))
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

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to a WebSocket; it counts here until it is closed."""
        # A WebSocket's messages go out one by one.
        self._joined.flush()
        self.transport = self._joined.transport
        super().handle_websocket_upgrade(event)
        self._is_socket = True
        socket = self.transport.get_protocol()
        if isinstance(socket, WatchedSocket):
            socket.watch(lambda: self.table.remove(self), lambda: self.table.progress(self))

    def on_response_complete(self) -> None:
        """Keep the connection for the next request, which may be here already.

        After an early response, the rest of the request's body gets the time limit of headers.
        """
        self._joined.flush()
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
        return self._is_socket or (self.cycle is not None and not self.cycle.response_complete)

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
    # uvicorn makes the connections and gives them no table, so their class holds it.
    return type("LimitedHttpConnection", (HttpConnection,), {"table": table})


def _answer(status: str, headers: str = "") -> bytes:
    body = f"{status[4:]}\n"
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        f"{headers}connection: close\r\n\r\n{body}"
    ).encode()
