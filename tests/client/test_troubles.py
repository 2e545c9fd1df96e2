"""What the clients make of networks that lose answers and servers that are busy, with a real server behind them."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from listening_to import heard
from serving import Serving

from tunesmith import AsyncTunesmith, DeadlineExceeded, ServerBusy, ServerUnreachable, Tunesmith
from tunesmith.client.retries import MAX_UNANSWERED

Ask = Callable[..., Any]
Trouble = Callable[[httpx.Request], httpx.Response | None]
LOST = httpx.ReadError("the connection was reset")
SHORT = {"duration": 1, "seed": 7}
AUDIO = r"/api/jobs/\w+/audio"


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Give the pauses that were made, each a thousand times shorter than asked for."""
    pauses: list[float] = []
    wait, wait_async = time.sleep, asyncio.sleep

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        wait(seconds / 1000)

    async def sleep_async(seconds: float) -> None:
        pauses.append(seconds)
        await wait_async(seconds / 1000)

    monkeypatch.setattr("tunesmith.client.sync_transport.time.sleep", sleep)
    monkeypatch.setattr("tunesmith.client.async_transport.asyncio.sleep", sleep_async)
    return iter([pauses])


class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The way to a server, with troubles before requests of a path and after them."""

    def __init__(self, path: str, *before: httpx.Response | Exception, lose: int = 0) -> None:
        self._path = path
        self._before = list(before)
        self._lose = lose
        self._real, self._real_async = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()
        self.keys: list[str | None] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if (trouble := self._trouble(request)) is not None:
            return trouble
        response = self._real.handle_request(request)
        if self._loses(request):
            response.close()
            raise LOST
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (trouble := self._trouble(request)) is not None:
            return trouble
        response = await self._real_async.handle_async_request(request)
        if self._loses(request):
            await response.aclose()
            raise LOST
        return response

    def close(self) -> None:
        self._real.close()

    async def aclose(self) -> None:
        await self._real_async.aclose()

    def _trouble(self, request: httpx.Request) -> httpx.Response | None:
        if not re.match(self._path, request.url.path):
            return None
        self.keys.append(request.headers.get("idempotency-key"))
        if not self._before:
            return None
        trouble = self._before.pop(0)
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    def _loses(self, request: httpx.Request) -> bool:
        if not re.match(self._path, request.url.path) or not self._lose:
            return False
        self._lose -= 1
        return True


def busy(status: int = 503, retry_after: str | None = None, **body: Any) -> httpx.Response:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return httpx.Response(status, headers=headers, json=body or {"error": {"type": "Busy", "message": "later"}})


def test_what_passes_is_waited_for_as_long_as_the_server_says(
    ask: Ask, server: Serving, paused: Iterator[list[float]]
) -> None:
    troubles = [busy(429, "3"), busy(503, estimated_time=20.0, error="loading"), busy(502)]
    network = Network("/api/jobs", *troubles)
    assert heard(ask(server.url, "generate", "calm piano", **SHORT, options={"transport": network}).content)
    first, second, third = next(paused)[:3]
    assert 3 <= first <= 4
    assert 20 <= second <= 21
    assert 0 <= third <= 4


def test_a_lost_answer_makes_no_second_track(ask: Ask, server: Serving) -> None:
    prompt = f"calm piano {uuid4().hex}"
    network = Network("/api/jobs", httpx.ConnectError("no route"), lose=2)
    assert ask(server.url, "generate", prompt, **SHORT, options={"transport": network})
    assert len(ask(server.url, "tracks", prompt)) == 1
    posts = [key for key in network.keys if key]
    assert len(posts) >= 3
    assert len(set(posts)) == 1


def test_variations_are_handed_in_once(ask: Ask, server: Serving) -> None:
    prompt = f"calm piano {uuid4().hex}"
    ask(server.url, "generate", prompt, **SHORT)
    [track] = ask(server.url, "tracks", prompt)
    network = Network(f"/api/tracks/{track['id']}/variations", lose=1)
    jobs = ask(server.url, "vary", track["id"], 2, options={"transport": network})
    for job in jobs:
        ask(server.url, "wait", job.id)
    assert len(ask(server.url, "tracks", prompt)) == 3


def test_a_change_whose_answer_does_not_come_is_cancelled_by_the_same_key(ask: Ask) -> None:
    asked: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((f"{request.method} {request.url.path}", request.headers.get("idempotency-key")))
        if len(asked) <= MAX_UNANSWERED:
            raise LOST
        return httpx.Response(202, json={"parent": "t", "jobs": [{"id": "j"}]})

    with pytest.raises(ServerUnreachable):
        ask("http://music.example", "again", "t", "slower", options={"transport": httpx.MockTransport(answer)})
    submission = asked[0]
    assert submission[0] == "POST /api/tracks/t/variations"
    assert submission[1]
    assert asked == [*[submission] * (MAX_UNANSWERED + 1), ("DELETE /api/jobs/j", None)]


def test_a_stream_that_breaks_again_and_again_is_no_music(ask: Ask, server: Serving) -> None:
    network = Network(AUDIO, *(httpx.Response(200, stream=Breaking()) for _ in range(5)))
    with pytest.raises(ServerUnreachable, match="broke"):
        ask(server.url, "stream", "calm piano", **SHORT, options={"transport": network})


def test_news_that_break_off_are_listened_to_again(ask: Ask, server: Serving) -> None:
    job = ask(server.url, "submit", "calm piano", **SHORT)
    network = Network(f"/api/jobs/{job.id}/events", httpx.Response(200, stream=Breaking()), httpx.Response(200))
    assert ask(server.url, "follow", job.id, options={"transport": network})[-1].state == "succeeded"
    assert len(network.keys) == 3


def test_a_busy_server_is_given_up_where_it_asks_for_more_than_there_is(ask: Ask, server: Serving) -> None:
    network = Network("/api", busy(429, "30"))
    with pytest.raises(ServerBusy, match="later") as given_up:
        ask(server.url, "models", options={"transport": network, "deadline": 20})
    assert given_up.value.retry_after == 30.0


def test_a_server_that_is_not_there_is_given_up_soon(ask: Ask, paused: Iterator[list[float]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=f"http://127.0.0.1:{port}/api/version: "):
        ask(f"http://127.0.0.1:{port}", "version")
    assert len(next(paused)) == 3


def test_a_server_that_never_answers_is_left_at_the_deadline(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeadlineExceeded, match=r"within 0\.5 s"):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}", "version", options={"deadline": 0.5})


def test_answers_of_other_servers_are_told_as_they_are(ask: Ask, server: Serving) -> None:
    network = Network("/api", httpx.Response(418, text="a teapot"))
    with pytest.raises(Exception, match="a teapot"):
        ask(server.url, "models", options={"transport": network})


@pytest.mark.parametrize("kind", [Tunesmith, AsyncTunesmith])
def test_a_connection_of_an_unfinished_stream_is_let_go(
    kind: type[Tunesmith | AsyncTunesmith], server: Serving
) -> None:
    broken = Breaking()
    network = Network(AUDIO, httpx.Response(200, stream=broken))
    client = kind(server.url, transport=network)
    if isinstance(client, Tunesmith):
        with client:
            pieces = client.stream("calm piano", duration=1)
            assert next(pieces) == b"data"
            pieces.close()
    else:

        async def act() -> None:
            async with client:
                pieces = client.stream("calm piano", duration=1)
                assert await anext(pieces) == b"data"
                await pieces.aclose()

        asyncio.run(act())
    assert broken.is_closed


class Breaking(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off."""

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"data"
        raise httpx.ReadError("it broke")

    async def __aiter__(self) -> Any:
        yield b"data"
        raise httpx.ReadError("it broke")

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True
