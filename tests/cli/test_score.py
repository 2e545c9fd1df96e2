"""A score file is changed by options and rendered with everything that generate writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_player import fake_player

import tunesmith
from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score_file import dump_score, load_document


@pytest.fixture(scope="module")
def document() -> str:
    composed = tunesmith.compose("calm lofi", duration=2.5, bars=2, seed=3, instruments=("piano", "standard_kit"))
    return dump_score(composed.score, composed.written)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str) -> Path:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(document, encoding="utf-8")
    return tmp_path


def test_an_edited_score_renders_with_its_stems_notes_score_and_layers(folder: Path) -> None:
    assert (
        run(["score", "edit", "a.yaml", "--transpose", "2", "--mute", "drums", "--chord", "2=Eb", "-o", "b.yaml"]) == 0
    )
    extras = ["--stems", "stems", "--midi", "b.mid", "--score", "c.yaml", "--layers", "0.5", "-q"]
    assert run(["render", "b.yaml", "-o", "b.wav", *extras]) == 0
    score = load_document(Path("b.yaml").read_text(encoding="utf-8")).score
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["a.yaml", "b.yaml", "b.wav", "b-intensity-50.wav", "b-layers.json", "b.mid", "c.yaml", "stems", "data"]
    )
    assert len(list((folder / "stems").iterdir())) == len(score.parts) + len(score.ambience)
    assert not any(part.role == "drums" for part in score.parts)
    assert load_document(Path("c.yaml").read_text(encoding="utf-8")).score == score
    assert np.abs(read_audio(Path("b.wav")).samples).max() > 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "score: needs at least one change, such as --transpose 2"),
        (["--mute", "drms"], "mute: there is no part 'drms'; did you mean drums?"),
        (["--chord", "99=C"], "bar must be 1 to"),
        (["--chord", "C"], "chord: must be BAR=CHORD, got 'C'"),
        (["--gain", "drums"], "gain: must be PART=VALUE, got 'drums'"),
        (["--bpm", "fast"], "bpm: must be a number, got 'fast'"),
        (["--sections", "itro"], "there is no section 'itro'"),
        (["--transpose", "99"], "transpose must be a whole number from -36 to 36, got '99'"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    options: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", "edit", "a.yaml", *options, "-o", "b.yaml"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (folder / "b.yaml").exists()


def test_a_midi_file_is_rendered_and_arranged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune = tunesmith.compose("flute", bars=2, tempo_bpm=240, seed=1, instruments=("flute",)).score
    write_midi(tune, folder / "tune.mid")
    assert run(["render", "tune.mid", "-o", "as-it-is.wav", "--score", "as-it-is.yaml", "-q"]) == 0
    assert run(["generate", "lofi", "--midi-in", "tune.mid", "--seed", "1", "-o", "lofi.wav", "-q"]) == 0
    assert read_audio(folder / "lofi.wav").duration > 1
    assert read_metadata(folder / "lofi.wav")["edits"][0]["source"]["name"] == "tune.mid"
    capsys.readouterr()
    for command in ("again", "vary", "explain"):
        assert run([command, "lofi.wav"]) == 2
        error = capsys.readouterr().err
        assert "an arrangement does not hold the tune of tune.mid; arrange it again" in error
        assert error.count("\n") == 1
    (folder / "broken.mid").write_bytes((folder / "tune.mid").read_bytes()[:150])
    for arguments in (["render", "broken.mid"], ["generate", "lofi", "--midi-in", "broken.mid"]):
        assert run([*arguments, "-o", "x.wav"]) == 2
        assert "midi: is " in capsys.readouterr().err
    assert run(["score", "edit", "tune.mid", "--transpose", "2", "-o", "x.yaml"]) == 2
    assert "is MIDI; tunesmith render" in capsys.readouterr().err


def test_a_score_and_an_arranged_tune_are_heard_while_they_are_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = fake_player(folder, monkeypatch)
    assert run(["render", "a.yaml", "-o", "a.wav", "--midi", "a.mid", "--play", "-q"]) == 0
    assert np.array_equal(read_audio(heard).samples, read_audio(Path("a.wav")).samples)
    assert run(["lofi", "--midi-in", "a.mid", "--seed", "3", "-o", "b.wav", "--play", "-q"]) == 0
    assert read_audio(heard).num_samples == read_audio(Path("b.wav")).num_samples
    assert run(["render", "a.yaml", "-o", "c.wav", "--play", "--model", "magenta-rt2-small"]) == 2
    assert "play: does not go with --model" in capsys.readouterr().err
