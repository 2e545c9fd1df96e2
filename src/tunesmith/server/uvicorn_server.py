"""The uvicorn server around the application: bound sockets, connection limits and graceful shutdown."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from socket import socket
from types import FrameType
from typing import Any

import anyio.lowlevel
import uvicorn
from fastapi import FastAPI

from tunesmith.config import Settings
from tunesmith.server.connections import ConnectionLimits, ConnectionTable, limited_by
from tunesmith.server.middleware.request_limits import trusted_proxies
from tunesmith.server.observability.logging import flush
from tunesmith.server.startup import BACKLOG, bind_sockets, connection_limit, urls_of

log = logging.getLogger("uvicorn.error")
limits_log = logging.getLogger("tunesmith.limits")


LAST_WORDS_SECONDS = 2
"""The time left to send responses to dismissed callers, in seconds."""

MAX_MESSAGE_BYTES = 1 << 20
"""The largest message of a WebSocket that is received at all; a larger one closes the connection."""

ACCEPTED_AT_ONCE = 16
"""How many connections asyncio accepts per turn of the event loop, so that a burst of hundreds cannot block it.

``startup_checks.RESERVED_DESCRIPTORS`` has room for more.
"""

TICK_SECONDS = 1.0
"""How often an idle server wakes, for the date in its headers; uvicorn would wake ten times as often."""

OUT_OF_DESCRIPTORS = "descriptors"
"""The reported reason when the system has no descriptor for a connection."""


def open_socket(**parts: Any) -> asyncio.Protocol:
    """Return the protocol of a WebSocket; uvicorn calls this as it calls a class."""
    # Not at the top: the library takes as long to load as ten requests, and most servers play nothing live.
    from tunesmith.server.sockets import LimitedSocket

    return LimitedSocket(**parts)


async def _nothing() -> None:
    pass


async def load_backend() -> None:
    """Load what anyio otherwise loads while the first streamed response holds up the event loop."""
    await anyio.lowlevel.checkpoint()


def start_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Give ``asyncio.to_thread`` threads that run already: a thread started later holds up the event loop."""
    # As many as asyncio's own executor would have.
    number = min(32, (os.cpu_count() or 1) + 4)
    executor = ThreadPoolExecutor(number, "asyncio")
    all_started = threading.Barrier(number)
    for _ in range(number):
        executor.submit(all_started.wait)
    loop.set_default_executor(executor)


@dataclass(frozen=True, slots=True)
class ShutdownHooks:
    """Shutdown hooks: ``drain`` accepts no new work, ``dismiss`` gives up unfinished work ``seconds`` later.

    ``end_streams`` ends streams that would never end by themselves.
    """

    drain: Callable[[], None]
    dismiss: Callable[[], None]
    seconds: int
    end_streams: Callable[[], Awaitable[None]] = _nothing


class DrainingServer(uvicorn.Server):
    """A server with graceful shutdown: on a signal, running requests may finish; a second signal dismisses them."""

    def __init__(self, config: uvicorn.Config, ending: ShutdownHooks, connections: ConnectionTable) -> None:
        super().__init__(config)
        self._ending = ending
        self._connections = connections
        self._sweeping: asyncio.Task[None] | None = None
        self._is_hurried = False
        self._is_stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        config.timeout_graceful_shutdown = ending.seconds + LAST_WORDS_SECONDS

    def run(self, sockets: list[socket] | None = None) -> None:
        """Serve until a signal. Raises InvalidRequest if the address cannot be bound."""
        listening = sockets or bind_sockets(self.config.host, self.config.port)
        with ExitStack() as closing:
            for one in listening:
                closing.enter_context(one)
            super().run(listening)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to serve, and log the URLs."""
        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._handle_loop_error)
        await load_backend()
        start_threads(loop)
        await super().startup(sockets)
        for one in sockets or []:
            # uvicorn listened with a backlog of ACCEPTED_AT_ONCE.
            one.listen(BACKLOG)
        self._sweeping = asyncio.create_task(self._sweep(), name="connection time-outs")
        # Loaded modules stay: scanning them for garbage would stop the event loop for 100 ms.
        gc.freeze()
        log.info("Listening on %s (press Ctrl-C to stop)", " and ".join(urls_of(sockets or [])))

    async def main_loop(self) -> None:
        """Wait for a signal; the date in the headers is never more than TICK_SECONDS old."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopped.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Wait for the running requests, then stop."""
        loop = asyncio.get_running_loop()
        seconds = 0 if self._is_hurried else self._ending.seconds
        log.info("Running requests have %s s to finish (press Ctrl-C again to stop at once)", seconds)
        loop.call_later(seconds, self._ending.dismiss)
        # Before uvicorn closes their sockets without a word.
        await self._ending.end_streams()
        await super().shutdown(sockets)
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._connections.limits.sweep_seconds)
            self._connections.sweep()

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Make room if no connection can be accepted; asyncio retries each second and reports each attempt."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self._connections.run_out(OUT_OF_DESCRIPTORS, f"a connection cannot be accepted: {error.strerror}")
        else:
            loop.default_exception_handler(context)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Flush the log before a caught signal ends the process."""
        with super().capture_signals():
            try:
                yield
            finally:
                flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down gracefully on the first signal, dismiss requests on the second, exit at once on the third."""
        if self.should_exit and not self._is_hurried:
            self._is_hurried = True
            if self._loop is not None:
                # A signal handler may run between any two instructions, so it only schedules the call.
                self._loop.call_soon_threadsafe(self._ending.dismiss)
            return
        self._ending.drain()
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._is_stopped.set)


def create_server(app: FastAPI, settings: Settings, host: str, port: int) -> DrainingServer:
    """Return the server of an application from ``create_app``. Raises InvalidRequest for an invalid setting."""
    proxies = trusted_proxies(settings)
    table = ConnectionTable(limits_of(settings), app.state.limit_log)
    # The parser is named because the limits are built on it; uvicorn would choose another if installed.
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, http=limited_by(table),
        ws=open_socket, ws_max_size=MAX_MESSAGE_BYTES, ws_per_message_deflate=False,  # type: ignore[arg-type]
        # uvicorn hands the value to call_later, which takes fractions.
        timeout_keep_alive=settings.idle_timeout_seconds,  # type: ignore[arg-type]
        proxy_headers=bool(proxies), forwarded_allow_ips=proxies, server_header=False,
        backlog=ACCEPTED_AT_ONCE,
    )  # fmt: skip
    return DrainingServer(config, app.state.ending, table)


def limits_of(settings: Settings) -> ConnectionLimits:
    """Return the connection limits that the settings and the open files of this process allow."""
    total = connection_limit(settings.max_connections)
    if total < settings.max_connections and "max_connections" in settings.model_fields_set:
        limits_log.warning("max_connections: open files allow %s, not %s", total, settings.max_connections)
    return ConnectionLimits(
        settings.header_timeout_seconds, settings.idle_timeout_seconds, settings.send_timeout_seconds, total,
        settings.max_connections_per_address, tuple(ipaddress.ip_network(one) for one in trusted_proxies(settings)),
    )  # fmt: skip
