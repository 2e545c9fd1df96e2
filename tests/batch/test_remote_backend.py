"""A batch against a server, from the front door: made there, written here, resumed, refused and stopped in one line."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from serving import WRONG_TOKEN, Serving

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with a log of their own."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("TUNESMITH_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("a", "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def write(*rows: dict[str, Any]) -> None:
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_rows_are_made_on_the_server_and_written_here(server: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        {"prompt": "calm piano", "duration": 6, "seed": 5, "hits": [4]}, {"prompt": "funk", "bars": 1, "file": "f.mp3"}
    )
    assert run(["batch", "a.jsonl", "--server", server.url]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("2 generated, 0 already done, 0 failed")
    assert len(shown.err.splitlines()) == 2
    first, second = manifest()
    assert (first["state"], first["file"], second["file"]) == ("made", "001-calm-piano.wav", "f.mp3")
    assert read_audio("a/001-calm-piano.wav").duration == pytest.approx(6)
    assert read_metadata("a/001-calm-piano.wav")["seed"] == 5
    assert read_metadata("a/f.mp3")["seed"] == second["request"]["seed"]
    job = server.job_of("calm piano")
    assert job is not None
    assert job.request.seed == 5
    assert run(["log", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []  # the server has them in its own


def test_a_second_run_asks_for_nothing_that_is_there(server: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    write({"prompt": "one by one", "model": "prompt"}, {"prompt": "two by two", "model": "prompt"})
    assert run(["batch", "a.jsonl", "--server", server.url]) == 0
    first = server.job_of("one by one")
    Path("a", "002-two-by-two.wav").unlink()
    assert run(["batch", "a.jsonl", "--server", server.url]) == 0
    assert "1 generated, 1 already done" in capsys.readouterr().out
    assert server.job_of("one by one") == first


def test_what_fails_there_is_tried_once_more_and_mistakes_are_not(
    server: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        {"prompt": "a", "model": "raising"}, {"prompt": "b", "model": "mistaken"}, {"prompt": "c", "model": "nobodys"}
    )
    assert run(["batch", "a.jsonl", "--server", server.url]) == 1
    assert [(entry["state"], entry["tries"]) for entry in manifest()] == [("failed", 2), ("failed", 1), ("failed", 1)]
    assert "must rhyme" in manifest()[1]["error"]
    assert "nobodys" in manifest()[2]["error"]
    assert capsys.readouterr().err.count("failed: line") == 3


def test_bad_rows_are_told_before_the_server_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    write({"prompt": "a", "genre": "lofy"})
    assert run(["batch", "a.jsonl", "--server", "http://127.0.0.1:1"]) == 2
    assert "a.jsonl:1: " in capsys.readouterr().err


def test_a_token_that_is_refused_ends_the_batch_at_once(
    server_with_tokens: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    write({"prompt": "a"}, {"prompt": "b"})
    given = ["batch", "a.jsonl", "--server", server_with_tokens.url, "--duration", "1"]
    assert run([*given, "--token", WRONG_TOKEN]) != 0
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 1
    assert WRONG_TOKEN not in shown
    assert [entry["state"] for entry in manifest()] == ["waiting", "waiting"]
    assert run([*given, "--token", server_with_tokens.token()]) == 0


def test_a_server_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    write({"prompt": "a", "model": "prompt"})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(["batch", "a.jsonl", "--server", f"http://127.0.0.1:{port}"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [entry["state"] for entry in manifest()] == ["waiting"]


@pytest.mark.parametrize(("arguments", "words"), [
    (("--token", "x"), "token: needs a server: --server URL"),
    (("--server", "nowhere"), "must be a URL such as"),
])  # fmt: skip
def test_a_server_must_be_said_as_it_can_be_reached(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    write({"prompt": "a", "model": "prompt"})
    assert run(["batch", "a.jsonl", *arguments]) == 2
    assert words in capsys.readouterr().err
