"""SyncTransport: requests over httpx that block the calling thread, and functions that run coroutines over it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterator
from typing import Any, TypeVar

import httpx

from tunesmith.client.reply import Reply
from tunesmith.client.transport import LONGEST_SECONDS, ApiRequest, build_request, error_text
from tunesmith.errors import ServerUnreachable

T = TypeVar("T")


class SyncTransport:
    """Sends requests over an ``httpx.Client``. Its coroutines never suspend: they block."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    async def send(self, request: ApiRequest, seconds: float) -> Reply:
        """Send a request once; see Transport."""
        ends_at = time.monotonic() + seconds
        prepared = build_request(self._http, request, seconds)
        try:
            response = self._http.send(prepared, stream=True, follow_redirects=request.follows_redirects)
            if request.streams and response.is_success:
                return Reply(response.status_code, response.headers, body=SyncBody(response))
            with contextlib.closing(response), disconnect_after(response, ends_at - time.monotonic()):
                return Reply(response.status_code, response.headers, response.read())
        except httpx.HTTPError as error:
            return Reply(0, problem=error_text(error))

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        time.sleep(seconds)


class SyncBody:
    """The open body of a response; see ReplyBody."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._response = response
        self._lines, self._chunks = response.iter_lines(), response.iter_bytes()

    async def next_line(self) -> str | None:
        """Return the next line, or None at the end."""
        try:
            return next(self._lines, None)
        except httpx.HTTPError as error:
            raise ServerUnreachable(error_text(error)) from None

    async def next_chunk(self, seconds: float) -> bytes | None:
        """Return the next bytes within ``seconds``, or None at the end."""
        try:
            with disconnect_after(self._response, seconds):
                return next(self._chunks, None)
        except httpx.HTTPError as error:
            raise ServerUnreachable(error_text(error)) from None

    async def aclose(self) -> None:
        """Release the connection."""
        self._response.close()


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine over a SyncTransport to its end, in this thread and without an event loop."""
    # An event loop that runs in this thread, as in a notebook, must not adopt the asynchronous generators in here:
    # it would close them when it ends.
    hooks = sys.get_asyncgen_hooks()
    try:
        sys.set_asyncgen_hooks(None, None)
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        sys.set_asyncgen_hooks(*hooks)
    coroutine.close()
    raise RuntimeError("a coroutine over a SyncTransport must not suspend")


def iterate_blocking(generator: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """Yield the values of an asynchronous generator over a SyncTransport."""
    try:
        while True:
            try:
                value = run_blocking(_next(generator))
            except StopAsyncIteration:
                return
            yield value
    finally:
        run_blocking(generator.aclose())


async def _next(generator: AsyncGenerator[T, None]) -> T:
    # A coroutine of its own: the first call of anext, which picks up the hooks, must be within run_blocking.
    return await anext(generator)


@contextlib.contextmanager
def disconnect_after(response: httpx.Response, seconds: float) -> Iterator[None]:
    """Shut the connection down after ``seconds``: httpx limits each read, and a slow body takes many reads."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    # A transport without a network has no connection to break.
    if connection is None:
        yield
        return
    timer = threading.Timer(min(seconds, LONGEST_SECONDS), _disconnect, [connection])
    # A pending timer must not keep the program alive.
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _disconnect(connection: socket.socket) -> None:
    # OSError if it is closed already. The plain socket's method, because that of TLS waits for the other side.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
