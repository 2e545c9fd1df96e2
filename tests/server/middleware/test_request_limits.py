"""Bodies that do not arrive: a real server on loopback answers 408 in each dialect's shape, and waits no longer."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from live_server import served
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from started_server import wait_for

from tunesmith.config import Settings
from tunesmith.errors import TunesmithError
from tunesmith.logs import LimitLog
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.errors import BodiesFull
from tunesmith.server.middleware.request_limits import SMALL_BODY_BYTES, BodyLimitMiddleware, BodyLimits, BytesInFlight

SHORT = 0.1
FORM = "multipart/form-data; boundary=x"
Shape = Callable[[Any], str]
ROUTES: list[tuple[str, str, bytes, Shape]] = [
    ("/api/jobs", "application/json", b"{", lambda body: body["error"]["message"]),
    ("/api/jobs", FORM, b"-", lambda body: body["error"]["message"]),
    ("/models/facebook/musicgen-small", "application/json", b"{", lambda body: body["error"]),
    ("/v1/predictions", "application/json", b"{", lambda body: body["detail"]),
    ("/v1/files", FORM, b"-", lambda body: body["detail"]),
    ("/v1/music", "application/json", b"{", lambda body: body["detail"]["message"]),
    ("/v1/audio/speech", "application/json", b"{", lambda body: body["error"]["message"]),
    ("/mcp", "application/json", b"{", lambda body: body["error"]["message"]),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), body_timeout_seconds=SHORT)
    with served(create_app(settings, ServerOptions(host="127.0.0.1"))) as url:
        yield int(url.rpartition(":")[2])


def half_request(port: int, path: str, media_type: str, start: bytes) -> socket.socket:
    """Send the headers and a first piece of a body of 1000 bytes."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    headers = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\ncontent-length: 1000\r\n\r\n"
    connection.sendall(headers.encode() + start)
    return connection


def answer_on(connection: socket.socket) -> tuple[int, Any]:
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(("path", "media_type", "start", "message"), ROUTES)
def test_half_a_body_is_answered_in_the_dialect_s_shape_and_its_connection_closed(
    port: int, path: str, media_type: str, start: bytes, message: Shape
) -> None:
    with half_request(port, path, media_type, start) as connection:
        status, body = answer_on(connection)
    assert status == 408
    assert f"no bytes arrived for {SHORT} s" in message(body)


def test_a_client_that_hangs_up_in_its_body_is_no_fault_of_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def statuses() -> list[int]:
        return [vars(record)["status"] for record in caplog.records if record.name == "tunesmith.request"]

    app = create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))
    with caplog.at_level(logging.INFO, "tunesmith"), served(app) as url:
        for path, media_type, start, _ in ROUTES[:-1]:
            half_request(int(url.rpartition(":")[2]), path, media_type, start).close()
        wait_for(lambda: len(statuses()) == len(ROUTES) - 1, "the ends of the requests")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert set(statuses()) == {499}


def body_of(pieces: list[bytes], pause: float) -> Receive:
    """Receive each piece after a pause, then wait for ever, as a server does for a client that waits."""
    left = list(pieces)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        if not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def statuses_for(receive: Receive, limits: BodyLimits, *, waits_after_body: float = 0.0) -> list[int]:
    """Serve one request whose application reads the whole body, then waits for a hang-up; return the answers."""
    statuses = []

    async def application(_: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        if waits_after_body:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receive(), waits_after_body)
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "path": "/v1/files",
        "headers": [(b"transfer-encoding", b"chunked")],
        "client": ("10.0.0.1", 1),
    }

    def tell(_: str, error: TunesmithError) -> Response:
        return Response(status_code=error.status)

    timeout = BodyLimitMiddleware(application, tell, limits, LimitLog())
    asyncio.run(timeout(scope, receive, send))
    return statuses


def test_a_body_that_comes_piece_by_piece_may_take_longer_than_each_pause() -> None:
    assert statuses_for(body_of([b"x" * 100] * 6, 0.05), BodyLimits(0.2)) == [200]


def test_a_body_that_trickles_is_stopped_however_short_its_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.server.middleware.request_limits.MIN_BYTES_PER_SECOND", 1_000_000)
    assert statuses_for(body_of([b"x"] * 1000, 0.02), BodyLimits(0.2)) == [408]


def test_a_client_that_waits_for_its_answer_may_be_silent_for_longer() -> None:
    assert statuses_for(body_of([b"x"], 0.0), BodyLimits(0.05), waits_after_body=0.2) == [200]


LARGE = 3 * SMALL_BODY_BYTES


@pytest.mark.parametrize(("size", "status"), [(SMALL_BODY_BYTES, 200), (LARGE, 503)])
def test_a_large_body_that_finds_no_room_is_refused_and_a_small_one_never(size: int, status: int) -> None:
    assert statuses_for(body_of([bytes(size)], 0.0), BodyLimits(5, max_bytes_in_flight=100)) == [status]


def test_bodies_hold_room_until_their_application_is_done_with_them() -> None:
    async def all_at_once() -> list[int]:
        statuses: list[int] = []
        done = asyncio.Event()

        async def application(_: Scope, receive: Receive, send: Send) -> None:
            assert not (await receive())["more_body"]
            if len(holding) < 2:
                holding.append(asyncio.ensure_future(receive()))
                await done.wait()
            await send({"type": "http.response.start", "status": 200})

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        holding: list[asyncio.Future[Message]] = []
        guarded = BodyLimitMiddleware(
            application, lambda *_: Response(status_code=503), BodyLimits(5, max_bytes_in_flight=LARGE), LimitLog()
        )
        scope = {"type": "http", "path": "/v1/files", "headers": [(b"transfer-encoding", b"chunked")]}
        served = []
        for number in (1, 2):  # the second finds room, because the first only waits for a hang-up
            served.append(asyncio.ensure_future(guarded(scope, body_of([bytes(LARGE)], 0.0), send)))
            while len(holding) < number:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
        done.set()
        await asyncio.gather(*served)
        for one in holding:
            one.cancel()
        await guarded(scope, body_of([bytes(LARGE)], 0.0), send)
        return statuses

    assert asyncio.run(asyncio.wait_for(all_at_once(), 10)) == [200] * 3


def test_a_body_that_is_dropped_because_it_is_too_large_holds_no_more_than_the_largest() -> None:
    limits = BodyLimits(5, max_bytes=SMALL_BODY_BYTES, max_bytes_in_flight=LARGE)
    assert statuses_for(body_of([bytes(LARGE)] * 3, 0.0), limits) == [413]


def test_room_is_given_back_whatever_becomes_of_a_body() -> None:
    in_flight = BytesInFlight(LARGE)
    in_flight.add(LARGE, LARGE)
    with pytest.raises(BodiesFull, match="the server is already receiving 3 MB of large requests"):
        in_flight.add(LARGE, LARGE)
    in_flight.remove(2 * LARGE)
    in_flight.add(LARGE, LARGE)


def test_others_are_served_between_bodies_that_are_late_at_the_same_moment() -> None:
    answered_between: list[int] = []

    async def application(_: Scope, receive: Receive, __: Send) -> None:
        await receive()

    async def act() -> None:
        answers = 0

        async def never() -> Message:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        async def send(message: Message) -> None:
            nonlocal answers
            answers += message["type"] == "http.response.start"

        timeout = BodyLimitMiddleware(application, lambda *_: Response(status_code=408), BodyLimits(0.01), LimitLog())
        scope = {"type": "http", "path": "/v1/files", "headers": [(b"content-length", b"1000")]}
        late = asyncio.gather(*(timeout(scope, never, send) for _ in range(100)))
        while not late.done():
            before = answers
            await asyncio.sleep(0)  # another caller's turn
            answered_between.append(answers - before)
        assert answers == 100

    asyncio.run(act())
    assert max(answered_between) <= 2
