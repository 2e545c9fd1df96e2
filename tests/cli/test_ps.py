"""What ``tunesmith ps`` says of a server, of none, and of what is no server of ours."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from live_server import served

from tunesmith.cli import run
from tunesmith.cli.ps import _expires_in, _row
from tunesmith.config import Settings
from tunesmith.library.migrate import open_database
from tunesmith.library.tokens import TokenRequest, Tokens
from tunesmith.server.app import create_app

Capture = pytest.CaptureFixture[str]
LOADED = {
    "name": "musicgen-small", "process_id": 77, "memory_bytes": 900_000_000, "requests_running": 0,
    "loading_seconds": None, "expires_at": "2030-01-02T03:04:05Z", "expires_in_seconds": 42.4,
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with served(create_app(settings)) as url:
        yield url


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["ps", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_what_is_loaded_is_shown_with_its_memory_and_when_it_leaves(url: str, capsys: Capture) -> None:
    assert said(capsys, "--url", url) == (0, "", "no model is loaded; the first request for a model loads it\n")
    httpx.post(f"{url}/api/generate", json={"prompt": "piano", "duration": 1}, timeout=60).raise_for_status()
    code, out, _ = said(capsys, "--url", url)
    name, memory, requests, leaves, process = out.splitlines()[0].split("\t")
    assert (code, name, requests) == (0, "composer", "0")
    assert memory.endswith("MB")
    assert leaves.startswith("in ")
    _, out, _ = said(capsys, "--url", f"{url}/", "--json")
    assert [str(one["process_id"]) for one in json.loads(out)] == [process]


def test_one_line_says_that_no_server_runs(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, out, err = said(capsys, "--url", f"http://127.0.0.1:{port}")
    assert (code, out) == (1, "")
    assert err.startswith(f"tunesmith: error: no server answers at http://127.0.0.1:{port}")
    assert "tunesmith serve" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("url", ["nonsense", "file:///etc/passwd", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_an_error_of_one_line(url: str, capsys: Capture) -> None:
    code, _, err = said(capsys, "--url", url)
    assert code == 2
    assert "base_url" in err
    assert len(err.splitlines()) == 1


def test_another_server_is_recognized_as_such(capsys: Capture) -> None:
    with served(FastAPI()) as url:
        assert said(capsys, "--url", url)[2] == f"tunesmith: error: the server at {url} is not a Tunesmith server\n"


def test_a_token_is_taken_from_the_environment_and_a_missing_one_is_asked_for(
    url: str, settings: Settings, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(settings)
    secret = Tokens(database).create(TokenRequest("me")).secret
    database.close()
    assert "Authorization: Bearer" in said(capsys, "--url", url)[2]
    monkeypatch.setenv("TUNESMITH_TOKEN", secret)
    monkeypatch.setenv("TUNESMITH_URL", url)
    assert said(capsys)[0] == 0


def test_a_row_says_when_a_model_leaves() -> None:
    assert _row(LOADED)[:3] == ("musicgen-small", "900 MB", "0")
    assert _expires_in(LOADED).startswith("in 42 s, at ")
    assert _expires_in({**LOADED, "expires_at": None, "requests_running": 2}) == "when idle"
    assert _expires_in({**LOADED, "expires_at": None}) == "never"
    assert _row({**LOADED, "loading_seconds": 1.5})[2] == "loading"
