"""Hosted models from the command line: the token stays secret, the budget holds over runs and processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosted_services import HostedService, audio_answer, hosted_service, json_answer

from tunesmith.cli import run

Capture = pytest.CaptureFixture[str]
MODEL, TOKEN = "hf:facebook/musicgen-small", "hf_nobody_is_to_see_this_one"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedService]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATA_DIR": str(tmp_path / "data"), "CONFIG": str(tmp_path / "config.toml")}.items():
        monkeypatch.setenv(f"TUNESMITH_{name}", value)
    for name in ("TUNESMITH_MAX_CALLS", "TUNESMITH_HF_TOKEN", "HF_TOKEN"):
        monkeypatch.setenv(name, "")  # so that what the flags set ends with the test
        monkeypatch.delenv(name)
    with hosted_service(audio_answer(2)) as one:
        monkeypatch.setenv("HF_INFERENCE_ENDPOINT", one.url)
        yield one


def test_a_file_is_made_and_the_token_is_kept_nowhere(service: HostedService, tmp_path: Path, capsys: Capture) -> None:
    assert run(["calm", "--model", MODEL, "--duration", "2", "-o", "a.wav", "--hosted-token", TOKEN]) == 0
    assert service.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert run(["log", "--json"]) == 0
    said = capsys.readouterr()
    assert MODEL in said.out
    assert TOKEN not in said.out + said.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "a.wav" in files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_a_refused_token_is_one_line_that_says_what_to_do(
    service: HostedService, tmp_path: Path, capsys: Capture
) -> None:
    service.answers = [json_answer({"error": "Invalid credentials"}, 401)]
    assert run(["calm", "--model", MODEL, "-o", "a.wav", "--hosted-token", TOKEN]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "rejects the token (401: Invalid credentials); set HF_TOKEN to one from" in error
    assert TOKEN not in error
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize(("flags", "words"), [
    (["--model", MODEL, "--max-calls", "lots"], "max_calls"),
    (["--model", "composer", "--hosted-token", "x"], "hosted_token"),
    (["--model", "hf:a/b/c"], "model: must be hf:owner/name"),
    (["--model", MODEL, "--hosted-token", "tök\nen"], "token"),
])  # fmt: skip
def test_a_wrong_flag_is_said_before_anything_is_called(
    service: HostedService, capsys: Capture, flags: list[str], words: str
) -> None:
    assert run(["calm", *flags]) == 2
    assert words in capsys.readouterr().err
    assert service.asked == []


def test_the_budget_holds_over_runs(service: HostedService, capsys: Capture) -> None:
    command = ["calm", "--model", MODEL, "--duration", "2", "--max-calls", "2/day", "-o"]
    assert [run([*command, f"{name}.wav"]) for name in "abc"] == [0, 0, 1]
    assert "limit of 2 hosted calls a day reached; try again in" in capsys.readouterr().err
    assert len(service.asked) == 2


def test_the_processes_of_a_batch_share_the_budget_and_the_token(
    service: HostedService, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "prompts.txt").write_text("one\ntwo\nthree\n")
    flags = ["--model", MODEL, "--duration", "2", "--max-calls", "2/day", "--hosted-token", TOKEN, "--json"]
    assert run(["batch", "prompts.txt", "--out", "made", *flags]) == 1
    said = capsys.readouterr()
    assert len(list((tmp_path / "made").glob("*.wav"))) == 2
    assert "limit of 2 hosted calls a day reached" in said.out + said.err
    assert {one.headers["authorization"] for one in service.asked} == {f"Bearer {TOKEN}"}
    assert TOKEN not in said.out + said.err + json.dumps([path.name for path in tmp_path.rglob("*")])
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
