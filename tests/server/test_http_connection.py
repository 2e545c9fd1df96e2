"""Connections of a real server on loopback: who may keep it waiting, for how long, and who may not."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from started_server import wait_for
from websockets.sync.client import connect

from tunesmith.config import Settings
from tunesmith.logs import LimitLog
from tunesmith.server.app import ServerOptions, create_app
from tunesmith.server.connections import ConnectionLimits, ConnectionTable, limited_by
from tunesmith.server.startup import bind_sockets
from tunesmith.server.uvicorn_server import DrainingServer, ShutdownHooks, create_server, open_socket

SHORT = 0.8
LARGE = 32 << 20
"""More than the operating system takes for a client that does not read."""

SHORT_LIMITS = ConnectionLimits(header_seconds=SHORT, idle_seconds=30, send_seconds=SHORT, total=200)
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass(frozen=True)
class Running:
    """A server in a thread."""

    port: int
    table: ConnectionTable
    refused: list[str]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def get(self, path: str = "/") -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once, after a silence longer than every limit (/silent), at length (/large) or with events."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": "ok"})
    if scope["type"] != "http":
        return
    if scope["path"] == "/silent":
        await receive()
        await asyncio.sleep(4 * SHORT)
    body = bytes(LARGE) if scope["path"] == "/large" else b"ok"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def running(server: DrainingServer, table: ConnectionTable, refused: list[str]) -> Iterator[Running]:
    (listening,) = bind_sockets("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the server to start")
    try:
        yield Running(listening.getsockname()[1], table, refused)
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def limited(limits: ConnectionLimits = SHORT_LIMITS) -> Iterator[Running]:
    refused: list[str] = []
    table = ConnectionTable(limits, LimitLog(refused.append))
    config = uvicorn.Config(
        application, http=limited_by(table), ws=open_socket, log_level="error", lifespan="off",  # type: ignore[arg-type]
        timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]
    )  # fmt: skip
    with running(DrainingServer(config, ShutdownHooks(lambda: None, lambda: None, 0), table), table, refused) as server:
        yield server


@contextmanager
def whole_server(folder: Path) -> Iterator[str]:
    """Run the real application with time-outs that are shorter than the start of its composer."""
    settings = Settings(
        data_dir=folder, header_timeout_seconds=SHORT, body_timeout_seconds=SHORT, send_timeout_seconds=SHORT,
        idle_timeout_seconds=SHORT, composer_processes=1,
    )  # fmt: skip
    app = create_app(settings, ServerOptions(host="127.0.0.1"))
    server = create_server(app, settings, "127.0.0.1", 0)
    with running(server, ConnectionTable(SHORT_LIMITS), []) as found:
        yield f"http://127.0.0.1:{found.port}"


def all_of(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def assert_answered(connection: socket.socket) -> None:
    received = b""
    while not received.endswith(b"ok"):
        piece = connection.recv(1000)
        assert piece, received
        received += piece


def test_silent_connections_and_half_headers_are_closed_and_the_server_goes_on_answering() -> None:
    with limited() as server, ExitStack() as closing:
        silent = [closing.enter_context(server.connect()) for _ in range(25)]
        half = [closing.enter_context(server.connect()) for _ in range(25)]
        for one in half:
            one.sendall(b"GET / HTTP/1.1\r\nhost:")
        assert server.get().text == "ok"
        assert {all_of(one) for one in silent} == {b""}
        assert {all_of(one).partition(b"\r\n")[0] for one in half} == {b"HTTP/1.1 408 Request Timeout"}
        wait_for(lambda: not len(server.table), "the table to be empty")
        assert server.refused == ["headers"] * 50


def test_headers_that_trickle_do_not_extend_their_time() -> None:
    with limited() as server, server.connect() as slow:
        began = time.monotonic()
        slow.settimeout(0.02)
        received = b""
        while not received and time.monotonic() - began < 10:
            slow.sendall(b"x")
            try:
                received = slow.recv(100)
            except TimeoutError:
                continue
        assert received.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))
        assert time.monotonic() - began < 10


def test_a_second_request_on_a_kept_connection_has_the_same_time_for_its_headers() -> None:
    with limited() as server, server.connect() as kept:
        kept.sendall(REQUEST)
        assert_answered(kept)
        time.sleep(2 * SHORT)  # idle for longer than headers may take
        kept.sendall(REQUEST)
        assert_answered(kept)
        kept.sendall(REQUEST[:20])
        assert all_of(kept).startswith(b"HTTP/1.1 408")


def test_an_idle_connection_is_closed_after_its_own_time() -> None:
    with limited(replace(SHORT_LIMITS, idle_seconds=SHORT)) as server, server.connect() as kept:
        kept.sendall(REQUEST)
        assert all_of(kept).endswith(b"ok")
        wait_for(lambda: not len(server.table), "the table to be empty")
        assert server.refused == []


def test_a_silent_client_that_waits_for_its_answer_is_not_cut() -> None:
    with limited() as server:
        assert server.get("/silent").text == "ok"
        assert server.refused == []


def test_a_client_that_never_reads_a_large_answer_is_cut_and_its_memory_freed() -> None:
    with limited() as server, server.connect() as deaf:
        deaf.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        wait_for(lambda: server.refused == ["sending"], "the time-out")
        wait_for(lambda: not len(server.table), "the table to be empty")


def test_a_client_that_reads_slowly_is_not_cut() -> None:
    with limited(replace(SHORT_LIMITS, send_seconds=1)) as server, server.connect() as slow:
        began = time.monotonic()
        slow.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        received = 0
        while piece := slow.recv(1 << 20):
            received += len(piece)
            time.sleep(0.04)
        assert received > LARGE
        assert time.monotonic() - began > 1
        assert server.refused == []


def test_a_websocket_is_no_silent_connection_and_counts_until_it_is_closed() -> None:
    with limited() as server:
        with connect(f"ws://127.0.0.1:{server.port}/") as socket:
            wait_for(lambda: len(server.table) == 1, "the connection to be open")
            time.sleep(2 * SHORT)
            socket.send("still there")
            assert socket.recv(timeout=60) == "ok"
            assert len(server.table) == 1
        wait_for(lambda: not len(server.table), "the table to be empty")
        assert server.refused == []


def test_an_address_may_hold_so_many_connections_and_loopback_is_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.server.connections.is_local_or_in", lambda *_: False)
    monkeypatch.setattr("tunesmith.server.connections.LINGER_SECONDS", 0.05)
    limits = replace(SHORT_LIMITS, header_seconds=30, per_address=3)
    with limited(limits) as server, ExitStack() as closing:
        held = [closing.enter_context(server.connect()) for _ in range(3)]
        wait_for(lambda: len(server.table) == 3, "the connections")
        answer = server.get()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        held[0].close()
        wait_for(lambda: len(server.table) == 2, "one to be gone")
        assert server.get().text == "ok"
    monkeypatch.undo()
    with limited(limits) as server, ExitStack() as closing:
        for _ in range(5):
            closing.enter_context(server.connect())
        assert server.get().text == "ok"


def test_where_all_places_are_taken_the_one_that_has_waited_longest_makes_room() -> None:
    with limited(replace(SHORT_LIMITS, header_seconds=30, total=5)) as server, ExitStack() as closing:
        silent = [closing.enter_context(server.connect()) for _ in range(5)]
        wait_for(lambda: len(server.table) == 5, "the connections")
        assert server.get().text == "ok"
        assert all_of(silent[0]) == b""
        assert server.get().text == "ok"
        assert len(server.table) <= 5


def test_where_all_places_are_at_work_a_caller_is_told_to_come_back() -> None:
    with limited(replace(SHORT_LIMITS, total=2)) as server, ExitStack() as closing:
        for _ in range(2):
            waiting = closing.enter_context(server.connect())
            waiting.sendall(b"GET /silent HTTP/1.1\r\nhost: x\r\n\r\n")
        wait_for(lambda: len(server.table) == 2 and not server.table.is_waiting(), "both to be at work")
        answer = server.get()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_held_calls_long_polls_and_streams_outlast_every_time_out(tmp_path: Path) -> None:
    music = {"prompt": "calm", "duration": 40, "seed": 1}
    with whole_server(tmp_path) as url, ThreadPoolExecutor(4) as callers:
        job = httpx.post(f"{url}/api/jobs", json=music).json()["id"]
        began = time.monotonic()
        events = callers.submit(httpx.get, f"{url}/api/jobs/{job}/events", timeout=120)
        held = callers.submit(
            httpx.post, f"{url}/models/facebook/musicgen-small", timeout=120,
            json={"inputs": "calm", "parameters": {"duration": 1}},
        )  # fmt: skip
        polled = callers.submit(
            httpx.post, f"{url}/v1/models/meta/musicgen/predictions", timeout=120, headers={"prefer": "wait=60"},
            json={"input": {"prompt": "calm", "duration": 1}},
        )  # fmt: skip
        streamed = callers.submit(httpx.post, f"{url}/api/generate?stream=true", timeout=120, json=music)
        assert "succeeded" in events.result().text
        assert held.result().headers["content-type"].startswith("audio/")
        assert polled.result().json()["status"] == "succeeded"
        assert len(streamed.result().content) > 10_000
        assert time.monotonic() - began > 2 * SHORT
