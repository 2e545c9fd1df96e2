"""Performed by a model on the command line: files, report, log, repetition, and an edited score."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import strange_generators

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run

PERFORM = ["lofi, 90 bpm", "--bars", "1", "--seed", "3", "--model", "musical", "--perform", "--performances", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a performed piece, its score and its notes."""
    folder = tmp_path_factory.mktemp("performed")
    with pytest.MonkeyPatch.context() as patch:
        _prepare(patch, folder)
        assert run([*PERFORM, "-o", "a.wav", "--score", "a.yaml", "--midi", "a.mid", "-q"]) == 0
    return folder


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    _prepare(monkeypatch, folder)


def _prepare(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("TUNESMITH_DATA_DIR", str(folder / "data"))
    patch.chdir(folder)
    site = folder / "site"
    if not site.exists():
        strange_generators.install(site)
    patch.syspath_prepend(str(site))


def test_the_files_of_the_composition_come_beside_the_sound(folder: Path) -> None:
    assert {"a.wav", "a.yaml", "a.mid"} <= {path.name for path in folder.iterdir()}
    settings = read_metadata(Path("a.wav"))["settings"]
    assert settings["pitch_class_recall"] >= 0.9
    assert settings["perform"] is True


def test_log_and_explain_show_the_recall(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["log"]) == 0
    assert "performed (" in capsys.readouterr().out
    assert run(["explain", "a.wav"]) == 0
    assert "of the notes and" in capsys.readouterr().out


def test_it_is_made_again_from_its_file() -> None:
    assert run(["again", "a.wav", "-o", "b.wav", "-q"]) == 0
    assert read_audio(Path("b.wav")).samples.tobytes() == read_audio(Path("a.wav")).samples.tobytes()


@pytest.mark.parametrize("source", ["a.yaml", "a.mid"])
def test_a_score_is_performed_and_reported(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "musical", "--prompt", "warm strings", "--performances", "1", "-o", "c.wav"]
    assert run(["render", source, *options]) == 0
    assert "performed: " in capsys.readouterr().out
    metadata = read_metadata(Path("c.wav"))
    assert metadata["prompt"] == metadata["request"]["prompt"] == "warm strings"
    assert metadata["settings"]["score"]["name"] == source
    # A MIDI file has no length, and rings out.
    assert read_audio(Path("c.wav")).duration >= read_audio(Path("a.wav")).duration


def test_a_score_is_played_instead_of_composing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["warm strings", "--score-in", "a.yaml", "-o", "d.wav", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["settings"]["bars"] == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["x", "--model", "prompt", "--perform", "-q"], "perform: prompt plays no notes that it is given"),
        (["x", "--perform", "-q"], "perform: composer plays no notes that it is given"),
        (["x", "--model", "musical", "--performances", "2", "-q"], "performances: needs perform"),
        (["x", "--model", "musical", "--perform", "--performances", "9", "-q"], "performances: must be at most 8"),
        (["render", "a.yaml", "-o", "e.wav", "--performances", "2"], "performances: needs --model"),
        (["x", "--score-in", "a.yaml", "--bpm", "90", "-q"], "bpm: cannot go with score, which decides it"),
        (["x", "--score-in", "none.yaml", "-q"], "score: cannot read"),
    ],
)
def test_mistakes_are_a_line(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert problem in capsys.readouterr().err
