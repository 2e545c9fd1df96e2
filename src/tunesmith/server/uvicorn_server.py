"""Serving: the HTTP server around the application, which says where it is, and early that it is about to end."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from tunesmith.config import Settings
from tunesmith.server.connections import ConnectionLimits, ConnectionTable
from tunesmith.server.http_connection import limited_by
from tunesmith.server.listen_sockets import BACKLOG, bind_sockets, urls_of
from tunesmith.server.middleware.allowed_hosts import trusted_proxies
from tunesmith.server.observability.logging import flush
from tunesmith.server.startup_checks import connection_limit

log = logging.getLogger("uvicorn.error")
limits_log = logging.getLogger("tunesmith.limits")


LAST_WORDS_SECONDS = 2
"""How long those who waited in vain have to be told so."""

ACCEPTED_AT_ONCE = 16
"""How many connections asyncio accepts in one turn of the event loop: a burst of hundreds leaves others their turns.

``descriptors.RESERVED`` has room for more.
"""

OUT_OF_DESCRIPTORS = "descriptors"
"""The reason that is reported when the system gives no descriptor for a connection."""


@dataclass(frozen=True, slots=True)
class ShutdownHooks:
    """How an application ends: ``drain`` takes no new work, ``dismiss`` gives up what is not done ``seconds`` later."""

    drain: Callable[[], None]
    dismiss: Callable[[], None]
    seconds: int


class DrainingServer(uvicorn.Server):
    """Begins to end as soon as it is asked to, while requests that are under way may finish; asked twice it hurries."""

    def __init__(self, config: uvicorn.Config, ending: ShutdownHooks, connections: ConnectionTable) -> None:
        super().__init__(config)
        self._ending = ending
        self._connections = connections
        self._sweeping: asyncio.Task[None] | None = None
        self._is_hurried = False
        self._loop: asyncio.AbstractEventLoop | None = None
        config.timeout_graceful_shutdown = ending.seconds + LAST_WORDS_SECONDS

    def run(self, sockets: list[socket] | None = None) -> None:
        """Serve until asked to end; raises InvalidRequest where the address cannot be had."""
        listening = sockets or bind_sockets(self.config.host, self.config.port)
        with ExitStack() as closing:
            for one in listening:
                closing.enter_context(one)
            super().run(listening)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to serve, and say where."""
        asyncio.get_running_loop().set_exception_handler(self._handle_loop_error)
        await super().startup(sockets)
        for one in sockets or []:
            one.listen(BACKLOG)  # uvicorn listened with ACCEPTED_AT_ONCE
        self._sweeping = asyncio.create_task(self._sweep(), name="connection time-outs")
        gc.freeze()  # what was loaded stays: to look through it for garbage would stop the event loop for 100 ms
        log.info("Listening on %s (Ctrl-C ends it)", " and ".join(urls_of(sockets or [])))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Wait for the requests that are under way, and end."""
        self._loop = asyncio.get_running_loop()
        seconds = 0 if self._is_hurried else self._ending.seconds
        log.info("What is under way has %s s to finish (Ctrl-C again: none)", seconds)
        self._loop.call_later(seconds, self._ending.dismiss)
        await super().shutdown(sockets)
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._connections.limits.sweep_seconds)
            self._connections.sweep()

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Make room where no connection can be accepted; asyncio tries each second and reports each attempt."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self._connections.run_out(OUT_OF_DESCRIPTORS, f"a connection cannot be accepted: {error.strerror}")
        else:
            loop.default_exception_handler(context)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Have the log written before a signal that was caught ends the process, as uvicorn then lets it."""
        with super().capture_signals():
            try:
                yield
            finally:
                flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, hurry, and at the third time fall over."""
        if self.should_exit and not self._is_hurried:
            self._is_hurried = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._ending.dismiss)
            return
        self._ending.drain()
        super().handle_exit(sig, frame)


def create_server(app: FastAPI, settings: Settings, host: str, port: int) -> DrainingServer:
    """Return the server of an application that ``create_app`` made; raises InvalidRequest for a wrong setting."""
    proxies = trusted_proxies(settings)
    table = ConnectionTable(limits_of(settings), app.state.limit_log)
    # The parser is named because the limits are built on it; uvicorn would take another where one is installed.
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, http=limited_by(table), ws="none",
        timeout_keep_alive=settings.idle_timeout_seconds,  # type: ignore[arg-type]  # handed to call_later
        proxy_headers=bool(proxies), forwarded_allow_ips=proxies, server_header=False,
        backlog=ACCEPTED_AT_ONCE,
    )  # fmt: skip
    return DrainingServer(config, app.state.ending, table)


def limits_of(settings: Settings) -> ConnectionLimits:
    """Return the limits of connections that the settings and the open files of this process allow."""
    total = connection_limit(settings.max_connections)
    if total < settings.max_connections and "max_connections" in settings.model_fields_set:
        limits_log.warning("max_connections: open files leave room for %s, not for %s", total, settings.max_connections)
    return ConnectionLimits(
        settings.header_timeout_seconds, settings.idle_timeout_seconds, settings.send_timeout_seconds, total,
        settings.max_connections_per_address, tuple(ipaddress.ip_network(one) for one in trusted_proxies(settings)),
    )  # fmt: skip
