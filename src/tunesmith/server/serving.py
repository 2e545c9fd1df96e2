"""Serving: the HTTP server around the application, which says where it is, and early that it is about to end."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from socket import socket
from types import FrameType

import uvicorn

from tunesmith.server.logs import flush
from tunesmith.server.sockets import bound, urls_of

log = logging.getLogger("uvicorn.error")


LAST_WORDS_SECONDS = 2
"""How long those who waited in vain have to be told so."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an application ends: ``drain`` takes no new work, ``dismiss`` gives up what is not done ``seconds`` later."""

    drain: Callable[[], None]
    dismiss: Callable[[], None]
    seconds: int


class DrainingServer(uvicorn.Server):
    """Begins to end as soon as it is asked to, while requests that are under way may finish; asked twice it hurries."""

    def __init__(self, config: uvicorn.Config, ending: Ending) -> None:
        super().__init__(config)
        self._ending = ending
        self._is_hurried = False
        self._loop: asyncio.AbstractEventLoop | None = None
        config.timeout_graceful_shutdown = ending.seconds + LAST_WORDS_SECONDS

    def run(self, sockets: list[socket] | None = None) -> None:
        """Serve until asked to end; raises InvalidRequest where the address cannot be had."""
        listening = sockets or bound(self.config.host, self.config.port)
        with ExitStack() as closing:
            for one in listening:
                closing.enter_context(one)
            super().run(listening)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to serve, and say where."""
        await super().startup(sockets)
        gc.freeze()  # what was loaded stays: to look through it for garbage would stop the event loop for 100 ms
        log.info("Listening on %s (Ctrl-C ends it)", " and ".join(urls_of(sockets or [])))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Wait for the requests that are under way, and end."""
        self._loop = asyncio.get_running_loop()
        seconds = 0 if self._is_hurried else self._ending.seconds
        log.info("What is under way has %s s to finish (Ctrl-C again: none)", seconds)
        self._loop.call_later(seconds, self._ending.dismiss)
        await super().shutdown(sockets)

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
