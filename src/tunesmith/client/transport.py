"""Wires: actions carried out over httpx, by a thread that waits or within asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any, TypeVar

import httpx

from tunesmith.client.http import Action, Answer, Flow, Pause, ReadLine, Send, Steps, Yield
from tunesmith.client.retries import Reply
from tunesmith.errors import ServerUnreachable

T = TypeVar("T")
X = TypeVar("X")
CONNECT_SECONDS = 10.0
LONGEST_SECONDS = 86_400.0
"""What the system's timers take; whoever waits for longer asks again."""

TOO_SLOW = "it took too long"
SHORTEST_SECONDS = 0.001
"""httpx takes 0 for no time at all, even where the answer is there already."""


class SyncTransport:
    """Carries out the actions of one call, one after another."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._lines: Iterator[str] = iter(())
        self._pieces: Iterator[bytes] = iter(())

    def result(self, steps: Steps[T]) -> T:
        """Return what steps lead to. An exception, such as Ctrl-C, is thrown into them: they may have to undo."""
        answer, error = None, None
        try:
            while True:
                action = step_generator(steps, answer, error)
                answer, error = None, None
                try:
                    answer = self._perform(action)
                except BaseException as raised:
                    error = raised
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            self._close()

    def each(self, flow: Flow[T]) -> Generator[T, None, None]:
        """Yield the values of a flow."""
        answer, error = None, None
        try:
            while True:
                action = step_generator(flow, answer, error)
                answer, error = None, None
                if isinstance(action, Yield):
                    yield action.value
                    continue
                try:
                    answer = self._perform(action)
                except BaseException as raised:
                    error = raised
        except StopIteration:
            return
        finally:
            flow.close()
            self._close()

    def _perform(self, action: Action) -> Answer:
        if isinstance(action, Pause):
            time.sleep(action.seconds)
            return None
        if isinstance(action, Send):
            return self._sent(action)
        assert self._open is not None
        try:
            if isinstance(action, ReadLine):
                return next(self._lines, None)
            with close_after(self._open, action.seconds):
                return next(self._pieces, None)
        except httpx.HTTPError as problem:
            raise ServerUnreachable(error_text(problem)) from None

    def _sent(self, send: Send) -> Reply:
        self._close()
        ends_at = time.monotonic() + send.seconds
        try:
            response = self._http.send(request_of(self._http, send), stream=True, follow_redirects=is_safe(send))
            if send.opens and response.is_success:
                self._open, self._lines, self._pieces = response, response.iter_lines(), response.iter_bytes()
                return Reply(response.status_code, response.headers)
            with contextlib.closing(response), close_after(response, ends_at - time.monotonic()):
                return Reply(response.status_code, response.headers, response.read())
        except httpx.HTTPError as problem:
            return reply_for_error(problem)

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class AsyncTransport:
    """What Wire is, within asyncio. A task that is cancelled cancels its job: the steps hear of it."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._lines: AsyncIterator[str] | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def result(self, steps: Steps[T]) -> T:
        """Return what steps lead to."""
        answer, error = None, None
        try:
            while True:
                action = step_generator(steps, answer, error)
                answer, error = None, None
                try:
                    answer = await self._perform(action)
                except BaseException as raised:
                    error = raised
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            await self._close()

    async def each(self, flow: Flow[T]) -> AsyncGenerator[T, None]:
        """Yield the values of a flow."""
        answer, error = None, None
        try:
            while True:
                try:
                    action = step_generator(flow, answer, error)
                except StopIteration:
                    return
                answer, error = None, None
                if isinstance(action, Yield):
                    yield action.value
                    continue
                try:
                    answer = await self._perform(action)
                except BaseException as raised:
                    error = raised
        finally:
            flow.close()
            await self._close()

    async def _perform(self, action: Action) -> Answer:
        if isinstance(action, Pause):
            await asyncio.sleep(action.seconds)
            return None
        if isinstance(action, Send):
            return await self._sent(action)
        assert self._lines is not None
        assert self._pieces is not None
        try:
            if isinstance(action, ReadLine):
                return await anext(self._lines, None)
            async with asyncio.timeout(action.seconds):
                return await anext(self._pieces, None)
        except httpx.HTTPError as problem:
            raise ServerUnreachable(error_text(problem)) from None
        except TimeoutError:
            raise ServerUnreachable(TOO_SLOW) from None

    async def _sent(self, send: Send) -> Reply:
        await self._close()
        request = request_of(self._http, send)
        try:
            async with asyncio.timeout(send.seconds):
                response = await self._http.send(request, stream=True, follow_redirects=is_safe(send))
                if send.opens and response.is_success:
                    self._open, self._lines, self._pieces = response, response.aiter_lines(), response.aiter_bytes()
                    return Reply(response.status_code, response.headers)
                async with contextlib.aclosing(response):
                    return Reply(response.status_code, response.headers, await response.aread())
        except httpx.HTTPError as problem:
            return reply_for_error(problem)
        except TimeoutError:
            return Reply(0, problem=f"{shown(request.url)}: {TOO_SLOW}")

    async def _close(self) -> None:
        if self._open is not None:
            await self._open.aclose()
            self._open = None


def step_generator(steps: Generator[X, Any, Any], answer: Answer, error: BaseException | None) -> X:
    """Let a generator go on with what came of its last action, and return the next one."""
    return steps.throw(error) if error is not None else steps.send(answer)


def request_of(http: httpx.Client | httpx.AsyncClient, send: Send) -> httpx.Request:
    """Return what httpx is to send."""
    seconds = min(max(SHORTEST_SECONDS, send.seconds), LONGEST_SECONDS)
    return http.build_request(
        send.method, send.path, json=send.json, params=dict(send.query), headers=dict(send.headers),
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
    )  # fmt: skip


def reply_for_error(problem: httpx.HTTPError) -> Reply:
    """Return the reply that is none."""
    return Reply(0, problem=error_text(problem))


def error_text(problem: httpx.HTTPError) -> str:
    """Say in a line what went wrong on the way; httpx has no words for some of it."""
    return f"no answer from {shown(problem.request.url)}: {problem or type(problem).__name__}"


def shown(url: httpx.URL) -> str:
    """Return an address without a user and a password in it."""
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)


def is_safe(send: Send) -> bool:
    """Tell whether a request may be sent on elsewhere: others may arrive there as something else."""
    return send.method == "GET"


@contextlib.contextmanager
def close_after(response: httpx.Response, seconds: float) -> Iterator[None]:
    """Break a connection after so many seconds: httpx has limits only for each read, and some bodies come in drips."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if connection is None:  # not the network
        yield
        return
    late = threading.Timer(min(seconds, LONGEST_SECONDS), _broken, [connection])
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


def _broken(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of TLS too: nobody is to wait for its good-bye
