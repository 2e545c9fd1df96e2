"""Live streams of a started server, heard by real WebSocket clients."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import live_generators
import numpy as np
import pytest
from live_description import check_messages
from live_listener import Listener, listening
from live_server import served
from started_server import StartedServer, started, wait_for
from websockets.exceptions import InvalidStatus

from tunesmith.audio.reader import read_audio
from tunesmith.config import Settings
from tunesmith.errors import ModelFileError
from tunesmith.server.apis.native import live
from tunesmith.server.app import ServerOptions, create_app

SINES: dict[str, Any] = {"model": "sines", "prompt": "lofi"}
COUNTING: dict[str, Any] = {"model": "counting", "prompt": "lofi", "encoding": "float32"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", live_generators.install(folder / "site"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        with started(folder / "data", live_streams="9", live_streams_per_caller="8") as process:
            yield process


def running(server: StartedServer) -> int:
    models = httpx.get(f"{server.url}/api/ps").json()["models"]
    return sum(one["requests_running"] for one in models)


def test_the_sound_has_no_gap_and_no_repetition_and_lasts_as_long_as_asked_for(server: StartedServer) -> None:
    with listening(server.url, **COUNTING, duration=1.5) as listener:
        listener.hear_all()
    left = listener.samples()[:, 0]
    assert np.array_equal(left * 2**20, np.arange(1.5 * 48_000))
    assert [number for number, _, _ in listener.headers] == list(range(len(listener.headers)))
    lengths = [len(block) // 8 for block in listener.blocks]
    assert [position for _, _, position in listener.headers] == [0, *np.cumsum(lengths)[:-1]]
    assert listener.messages[-1].items() >= {"type": "ended", "reason": "duration", "seconds": 1.5}.items()


def first_new_sample(listener: Listener, known: int) -> int:
    """Return the position of the first sample from ``known`` on that is not silent."""
    return known + int(np.flatnonzero(listener.samples()[known:, 0])[0])


def test_a_change_is_heard_within_three_tenths_of_a_second(server: StartedServer) -> None:
    seconds = []
    with listening(server.url, **SINES) as listener:
        listener.hear_seconds(0.5)
        for number in range(1, 6, 2):
            known = listener.num_frames
            assert listener.began_at is not None
            played = (time.monotonic() - listener.began_at) * listener.rate
            listener.send("change", notes=[69])
            listener.hear_until("changed", change=number)
            listener.hear_seconds(0.4)
            seconds.append((first_new_sample(listener, known) - played) / listener.rate)
            listener.send("change", notes=[])
            listener.hear_until("changed", change=number + 1)
            listener.hear_seconds(0.3)
    # The best of some: other tests may hold up any one of them.
    assert min(seconds) <= 0.3


def test_blocks_say_by_which_change_they_are_made(server: StartedServer) -> None:
    with listening(server.url, **SINES) as listener:
        listener.hear_seconds(0.2)
        listener.send("change", notes=[69])
        listener.hear_until("changed", change=1)
        listener.hear_seconds(0.4)
        listener.send("stop")
        listener.hear_all()
    changes = [change for _, change, _ in listener.headers]
    assert changes == sorted(changes)
    place = changes.index(1)
    sounds = [np.frombuffer(block, "<i2").any() for block in listener.blocks]
    # A block may be changed in its middle, but none that states the change is as it was before.
    assert not any(sounds[: place - 2])
    assert all(sounds[place:])


def test_no_bad_message_ends_the_stream_and_every_bad_field_is_named(server: StartedServer) -> None:
    with listening(server.url, **SINES) as listener:
        listener.hear_until("started")
        listener.socket.send("{")
        listener.socket.send(b"sound")
        listener.socket.send("[" * 9_000)
        listener.socket.send('{"type": "change", "prompt": "' + "x" * 20_000 + '"}')
        for kind in ("start", "sing"):
            listener.send(kind)
        listener.send("change", blend="half", notes=[200], drums=True, prompt="", temperature=float("nan"))
        listener.send("change", notes=list(range(17)))
        listener.send("record", seconds=301)
        listener.send("ping")
        listener.hear_until("pong")
        listener.hear_seconds(0.3)
        listener.send("stop")
        listener.hear_all()
    check_messages(listener.messages)
    errors = [one["error"]["message"] for one in listener.messages if one["type"] == "error"]
    assert errors[:6] == [
        "body: is not JSON",
        "message: must be JSON text, got bytes",
        errors[2],
        "a message must be at most 16384 bytes, got 20032",
        "type: must be change, record, ping or stop, got 'start'",
        "type: must be change, record, ping or stop, got 'sing'",
    ]
    assert "temperature: must be a finite number, got nan" in errors or any("finite" in one for one in errors)
    assert "notes: must be at most 16 at once, got 17" in errors
    assert "seconds: must be at most 300 (live_record_seconds), got 301" in errors
    assert listener.messages[-1]["reason"] == "stopped"


def test_the_valid_fields_of_a_change_take_effect_beside_invalid_ones(server: StartedServer) -> None:
    with listening(server.url, **SINES) as listener:
        listener.send("change", blend="half", notes=[200], drums=True)
        settings = listener.hear_until("changed")["settings"]
    assert settings == {"prompt": "lofi", "second_prompt": None, "blend": 0.5, "notes": [], "drums": True,
                        "temperature": None}  # fmt: skip
    errors = [one["error"] for one in listener.messages if one["type"] == "error"]
    assert [one["field"] for one in errors] == ["blend", "notes.0"]
    assert errors[1]["message"] == "notes.0: must be at most 127, got 200"


def test_eight_listen_at_once_and_one_that_stalls_holds_up_no_other(server: StartedServer) -> None:
    def hear(listener: Listener) -> float:
        listener.hear_seconds(0.2)
        assert listener.began_at is not None
        began = time.monotonic()
        listener.hear_seconds(1.0)
        return time.monotonic() - began

    wait_for(lambda: running(server) == 0, "the other streams to end")
    with ExitStack() as open_streams, ThreadPoolExecutor(8) as threads:
        stalled, *others = [open_streams.enter_context(listening(server.url, **COUNTING)) for _ in range(8)]
        # It reads no more from here on, and the system's buffers are soon full.
        stalled.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.hear()
        took = list(threads.map(hear, others))
        for listener in others:
            left = listener.samples()[:, 0]
            assert np.array_equal(left * 2**20, np.arange(len(left)))
    # A second of sound cannot come much sooner than in a second, and must not come much later.
    assert min(took) > 0.7
    assert sorted(took)[3] < 3.0


def test_a_listener_that_vanishes_frees_its_place_within_a_second(server: StartedServer) -> None:
    wait_for(lambda: running(server) == 0, "the other streams to end")
    with listening(server.url, **SINES) as listener:
        listener.hear_seconds(0.2)
        assert running(server) == 1
        # A reset, as when a program is killed.
        listener.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        listener.socket.socket.shutdown(socket.SHUT_RDWR)
        listener.socket.socket.close()
        left = time.monotonic()
        wait_for(lambda: running(server) == 0, "its place to be free")
        assert time.monotonic() - left < 1.0


def test_a_recording_is_a_track_with_the_samples_that_were_heard(server: StartedServer, tmp_path: Path) -> None:
    with listening(server.url, **{**SINES, "notes": [69], "drums": True, "seed": 5}) as listener:
        listener.hear_seconds(1.3)
        listener.send("record", seconds=1, format="flac")
        track = listener.hear_until("recorded")["track"]
    check_messages(listener.messages)
    assert (track["duration"], track["door"], track["seed"], track["prompt"]) == (1.0, "live", 5, "lofi")
    assert httpx.get(f"{server.url}/api/tracks/{track['id']}").json()["model"] == "sines"
    (tmp_path / "kept.flac").write_bytes(httpx.get(server.url + track["audio"]).content)
    kept = np.rint(read_audio(tmp_path / "kept.flac").samples.T * 32_768)
    heard = listener.samples().astype(float)
    starts = (sum(len(one) // 4 for one in listener.blocks[:ends]) - 48_000 for ends in range(len(listener.blocks) + 1))
    assert any(np.array_equal(heard[start : start + 48_000], kept) for start in starts if start >= 0)


def test_minus_one_is_a_seed_to_be_drawn(server: StartedServer) -> None:
    with listening(server.url, **SINES, seed=-1) as listener:
        assert listener.hear_until("started")["seed"] >= 0


def test_a_stream_needs_a_model_that_plays_live_and_valid_fields(server: StartedServer) -> None:
    for start, message in (
        ({"model": "composer", "prompt": "lofi"}, "model: composer cannot play live"),
        ({"model": "sines"}, "prompt: is missing"),
        ({"model": "sines", "prompt": "lofi", "encoding": "mp3"}, "encoding: must be 'pcm16' or 'float32', got 'mp3'"),
        ({"model": "sines", "prompt": "lofi", "notes": list(range(17))}, "notes: must be at most 16 at once, got 17"),
        ({"model": "siness", "prompt": "lofi"}, "model: there is no model called 'siness'; did you mean sines?"),
    ):
        with listening(server.url, **start) as listener:
            listener.hear_all()
        check_messages(listener.messages)
        assert listener.messages[-2]["error"]["message"] == message
        assert listener.messages[-1] == {"type": "ended", "reason": "refused", "seconds": 0.0, "gaps": 0}


def test_a_first_message_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "START_SECONDS", 0.2)
    app = create_app(Settings(data_dir=tmp_path), ServerOptions(host="127.0.0.1"))
    with served(app) as url, listening(url) as listener:
        listener.hear_all()
    assert listener.messages[0]["error"]["message"] == "the first message did not come within 0.2 s"
    assert listener.socket.protocol.close_code == 1008


def test_foreign_pages_may_not_open_a_live_stream(server: StartedServer) -> None:
    with pytest.raises(InvalidStatus) as caught, listening(server.url, {"Origin": "https://evil.example"}):
        pass
    assert caught.value.response.status_code == 403
    with listening(server.url, {"Origin": server.url}, **SINES) as listener:
        listener.hear_seconds(0.1)


def test_a_name_that_is_not_this_machines_opens_nothing(server: StartedServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            b"GET /api/live HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"unknown host" in answer


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedServer]:
    """Give a server for one stream at once of each caller, which may be idle for a short time and keep no recording."""
    folder = tmp_path_factory.mktemp("strict")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", live_generators.install(folder / "site"))
        patch.setenv("TUNESMITH_CONFIG", str(folder / "config.toml"))
        settings = {"live_streams_per_caller": "1", "live_idle_seconds": "1.5", "anonymous_rate": "100/minute"}
        settings["upload_gigabytes_per_day"] = "0.0001"
        with started(folder / "data", "--allow-anonymous", **settings) as process:
            yield process


def test_a_caller_has_no_more_streams_than_it_may(strict: StartedServer) -> None:
    with listening(strict.url, **SINES) as first:
        first.hear_until("started")
        with listening(strict.url, **SINES) as second:
            second.hear_all()
        assert second.messages[-2]["error"]["type"] == "LiveStreamsFull"
        first.hear_seconds(0.1)
        first.send("stop")
        first.hear_all()
    with listening(strict.url, **SINES) as third:
        third.hear_until("started")
        # Its place is free before the last message, and only soon after it has left without one.
        third.send("stop")
        third.hear_all()


def test_a_token_comes_in_a_header_or_in_the_first_message(strict: StartedServer) -> None:
    ways: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
        ({"Authorization": "Bearer wrong"}, {}),
        ({}, {"token": "wrong"}),
    )
    for headers, token in ways:
        with listening(strict.url, headers, **SINES, **token) as listener:
            listener.hear_all()
        assert listener.messages[-2]["error"] == {"type": "Unauthenticated", "message": "the token is not valid here"}


def test_recordings_count_as_uploads(strict: StartedServer) -> None:
    with listening(strict.url, **SINES) as listener:
        listener.hear_seconds(1.1)
        listener.send("record", seconds=1)
        error = listener.hear_until("error")["error"]
        listener.send("stop")
        listener.hear_all()
    assert error["type"] == "UploadLimited"
    assert "uploads a day" in error["message"]


def test_a_stream_without_messages_ends_and_so_do_all_with_the_server(strict: StartedServer) -> None:
    with listening(strict.url, **SINES) as listener:
        listener.hear_all()
    assert listener.messages[-1]["reason"] == "idle"
    with listening(strict.url, **SINES) as listener:
        listener.hear_seconds(0.1)
        strict.signal(signal.SIGTERM)
        listener.hear_all()
        assert listener.messages[-1]["reason"] == "server"
        assert listener.socket.protocol.close_code == 1001


def test_the_log_says_of_a_damaged_model_what_the_listener_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged(_: str | None) -> None:
        raise ModelFileError("/models/one/temporal.onnx", "is cut off")

    monkeypatch.setattr(live, "live_model", damaged)
    caplog.set_level("INFO", "tunesmith.live")
    app = create_app(Settings(data_dir=tmp_path), ServerOptions())
    with served(app) as url, listening(url, **SINES) as listener:
        listener.hear_all()
    told = next(message for message in listener.messages if message["type"] == "error")
    assert "temporal" not in str(told)
    assert "temporal.onnx" in next(str(vars(record).get("error")) for record in caplog.records if "ended" in record.msg)
