"""``tunesmith live``: what lines change, what is written and played, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import live_generators
import numpy as np
import pytest
from fake_player import fake_player
from started_server import started

from tunesmith.audio.reader import read_audio
from tunesmith.cli import run
from tunesmith.cli.live_lines import change_of, note_number
from tunesmith.errors import InvalidRequest


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in live_generators.install(tmp_path / "site").split(":"):
        monkeypatch.syspath_prepend(path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def type_lines(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(("line", "change"), [
    ("blend 0.6", {"blend": 0.6}), ("notes C4, E4 67", {"notes": [60, 64, 67]}), ("notes", {"notes": []}),
    ("drums off", {"drums": False}), ("drums auto", {"drums": None}), ("second dub", {"second_prompt": "dub"}),
    ("second", {"second_prompt": None}), ("temperature auto", {"temperature": None}), ("", {}), ("stop", None),
    ("blend of jazz and soul", {"prompt": "blend of jazz and soul"}), ("drums and bass", {"prompt": "drums and bass"}),
    ("prompt stop", {"prompt": "stop"}), (" dreamy ambient \n", {"prompt": "dreamy ambient"}),
])  # fmt: skip
def test_a_line_is_a_change(line: str, change: dict[str, Any] | None) -> None:
    assert change_of(line) == change


@pytest.mark.parametrize(
    ("text", "number"), [("C4", 60), ("c-1", 0), ("G9", 127), ("F#3", 54), ("Bb3", 58), ("69", 69)]
)
def test_notes_have_names_and_numbers(text: str, number: int) -> None:
    assert note_number(text) == number


def test_lines_that_make_no_sense_are_named() -> None:
    for line, problem in (("blend half", "blend: must be a number"), ("notes H4", "notes: must be notes such as C4")):
        with pytest.raises(InvalidRequest, match=problem):
            change_of(line)


def test_what_is_heard_is_written_played_and_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_lines(monkeypatch, "notes A4\nblend 7\n")
    heard = fake_player(tmp_path, monkeypatch)
    arguments = ["live", "warm lofi", "--model", "sines", "--duration", "0.5", "-o", "take.wav", "--seed", "3"]
    assert run(arguments) == 0
    audio = read_audio(tmp_path / "take.wav")
    assert (audio.duration, audio.sample_rate, audio.channels) == (0.5, 48_000, 2)
    assert (audio.metadata["prompt"], audio.metadata["model"], audio.metadata["seed"]) == ("warm lofi", "sines", 3)
    assert np.abs(audio.samples).max() > 0.05
    assert "warning: blend: must be at most 1, got 7" in capsys.readouterr().err
    played = np.frombuffer(heard.read_bytes()[44:], "<i2")
    assert np.array_equal(np.rint(audio.samples.T * 32_768).ravel(), played)
    assert run(["log"]) == 0
    assert "warm lofi" in capsys.readouterr().out


def test_a_model_of_unknown_licence_is_refused_where_only_safe_ones_may_play(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_COMMERCIAL_SAFE", "true")
    type_lines(monkeypatch, "")
    assert run(["live", "warm lofi", "--model", "sines", "--no-play", "-o", "take.wav", "--duration", "1"]) == 2
    assert "commercial_safe: whether sines may be used commercially is not known" in capsys.readouterr().err


def test_it_stops_at_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_lines(monkeypatch, "stop\n")
    assert run(["live", "warm lofi", "--model", "sines", "--no-play", "-o", "take.wav", "--duration", "60", "-q"]) == 0
    assert read_audio(tmp_path / "take.wav").duration < 10


def test_it_plays_from_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", live_generators.install(tmp_path / "served"))
    with started(tmp_path / "serving") as server:
        type_lines(monkeypatch, "blend 7\n")
        arguments = ["--server", server.url, "--model", "counting", "--duration", "0.4", "--no-play", "-o", "take.wav"]
        assert run(["live", "warm lofi", *arguments]) == 0
        assert run(["live", "warm lofi", *arguments, "--blend", "2"]) == 2
    assert np.rint(read_audio(tmp_path / "take.wav").samples[0][:2] * 2**15).tolist() == [0.0, 0.0]
    error = capsys.readouterr().err
    assert "blend: must be at most 1, got 7.0" in error
    assert "tunesmith: error: blend: must be at most 1, got 2.0" in error


@pytest.mark.parametrize(("arguments", "problem"), [
    (["--model", "composer"], "model: composer cannot play live"),
    (["--no-play"], "play: without --play, the sound needs a file: -o FILE"),
    (["--no-play", "-o", "a.wav"], "duration: is needed where nobody listens or types"),
    (["--notes", "H4", "-o", "a.wav"], "notes: must be notes such as C4, F#3 or 60, got 'H4'"),
])  # fmt: skip
def test_what_cannot_be_played_is_refused(
    arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_lines(monkeypatch, "")
    assert run(["live", "warm lofi", *arguments]) == 2
    assert problem in capsys.readouterr().err
