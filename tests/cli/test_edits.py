"""Edits are tracks with a parent; a file says what it came from; an edited piece is made again to the byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from foreign_files import write_tone, write_wav

import tunesmith
from tunesmith.audio import Audio
from tunesmith.audio.reader import read_metadata
from tunesmith.cli import run

PROMPT = "drums, 120 bpm"


@pytest.fixture(scope="module")
def piece() -> Audio:
    return tunesmith.generate(PROMPT, duration=4, seed=1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: Audio) -> Path:
    """A user's folder with a piece and a stranger's recording."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    piece.save("own.wav")
    write_tone(Path("theirs.flac"), {"artist": "Ann", "title": "A Song"})
    return tmp_path


def tracks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["log", "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def edit_twice() -> None:
    assert run(["trim", "own.wav", "--end", "3", "-o", "part.flac"]) == 0
    assert run(["fade", "part.flac", "--out", "1", "-o", "end.mp3"]) == 0


def test_every_edit_is_a_track_with_the_one_before_as_its_parent(capsys: pytest.CaptureFixture[str]) -> None:
    edit_twice()
    fade, trim = tracks(capsys)
    assert (fade["generated_by"], trim["generated_by"]) == ("fade", "trim")
    assert fade["parent"] == trim["id"]
    assert (fade["prompt"], fade["seed"], fade["duration"], fade["model"]) == (PROMPT, 1, 3.0, "composer")
    assert [track["id"] for track in tracks(capsys, "--search", "fade part")] == [fade["id"]]
    assert {track["id"] for track in tracks(capsys, "--search", "own.wav")} == {fade["id"], trim["id"]}
    assert run(["log"]) == 0
    assert "fade of part.flac, in 0.0, out 1.0; trim of own.wav" in capsys.readouterr().out


@pytest.mark.parametrize("edit", [
    ("convert",), ("trim", "--end", "0.9"), ("fade", "--in", "0.1"), ("normalize",), ("loop",),
    ("fit", "--duration", "2"), ("stitch", "own.wav", "--crossfade", "0.1"),
])  # fmt: skip
def test_every_command_says_what_the_file_came_from(edit: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    command, *options = edit
    assert run([command, "theirs.flac", *options, "-o", "out.ogg"]) == 0
    (step,) = read_metadata("out.ogg")["edits"]
    source = step["source"] if command != "stitch" else step["sources"][0]
    assert step["edit"] == command
    assert source == {"name": "theirs.flac", "sha256": hashlib.sha256(Path("theirs.flac").read_bytes()).hexdigest()}
    (track,) = tracks(capsys)
    assert (track["generated_by"], track["parent"], track["metadata"]["edits"]) == (command, None, [step])
    assert "unknown" in track["licence"]
    capsys.readouterr()
    assert run(["show", "out.ogg"]) == 0
    assert f"edited\t{command} of theirs.flac" in capsys.readouterr().out


def test_what_show_says_is_true_of_the_edited_file(capsys: pytest.CaptureFixture[str]) -> None:
    edit_twice()
    capsys.readouterr()
    assert run(["show", "end.mp3"]) == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert (rows["duration"], rows["bars"], rows["tempo_bpm"]) == ("3.0", "2", "120.0")


@pytest.mark.parametrize("by", ["file", "track"])
def test_an_edited_piece_is_made_again_to_the_byte(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit_twice()
    name = "end.mp3" if by == "file" else tracks(capsys)[0]["id"]
    capsys.readouterr()
    assert run(["again", name, "-o", "again.mp3"]) == 0
    assert capsys.readouterr().err == ""
    assert Path("again.mp3").read_bytes() == Path("end.mp3").read_bytes()
    assert [track["generated_by"] for track in tracks(capsys)] == ["fade", "fade", "trim"]


def test_what_cannot_be_made_again_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trim", "theirs.flac", "--end", "0.5", "-o", "a.wav"]) == 0
    (track,) = tracks(capsys)
    for name, words in (("a.wav", "has no metadata of its request"), (track["id"], "cannot be generated again")):
        assert run(["again", name, "-o", "b.wav"]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    forged = {**read_metadata("own.wav"), "edits": [{"edit": "trim", "source": {"name": "../../x"}}]}
    Audio(write_audio_of("own.wav"), 44_100, forged).save("forged.wav")
    assert run(["again", "forged.wav", "-o", "b.wav"]) == 2


def write_audio_of(name: str) -> Any:
    from tunesmith.audio.reader import read_audio

    return read_audio(name).samples


def test_a_rendered_score_is_a_track_of_the_piece_it_was_written_with(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [PROMPT, "--duration", "2", "--seed", "3", "-o", "p.wav", "--score", "s.yaml"]
    assert run(asked) == run(["render", "s.yaml", "-o", "r.wav"]) == 0
    rendered, composed = tracks(capsys)
    assert (rendered["generated_by"], rendered["parent"], rendered["seed"]) == ("render", composed["id"], 3)
    assert read_metadata("r.wav")["edits"][0]["source"]["name"] == "s.yaml"
    assert run(["show", "r.wav"]) == 0
    assert "render of s.yaml" in capsys.readouterr().out
    for words in (["again", rendered["id"], "slower"], ["again", "r.wav"], ["vary", "r.wav"], ["explain", "r.wav"]):
        assert run([*words, *(["-o", "x.wav"] if words[0] != "explain" else [])]) == 2
        assert "this was rendered from s.yaml, and no prompt makes it again" in capsys.readouterr().err
    # The next one is of the piece too, whatever was rendered of it before.
    assert run(["render", "s.yaml", "-o", "r2.wav", "-q"]) == 0
    assert tracks(capsys)[0]["parent"] == composed["id"]
    assert run(["log", "tree", "r.wav"]) == 0
    assert capsys.readouterr().out.count("render of s.yaml\n") == 2


@pytest.mark.parametrize("own", [
    r'{"prompt": "a \udcff", "model": "composer", "request": {"prompt": "a \udcff"}, "title": "\ud800"}',
    r'{"model": "\udcff", "settings": 1, "edits": [{"edit": "\ud800", "source": {"name": "\udcff"}}, {"source": 3}]}',
    r'{"model": "\u0000", "prompt": ["x"], "settings": {"genre": {}}, "request": [], "edits": "x"}',
])  # fmt: skip
def test_whatever_a_file_says_of_itself_it_is_edited_and_logged(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(Path("odd.wav"), (b"tnsm", own.encode()))
    for edit in (["trim", "odd.wav", "--end", "0.5"], ["stitch", "odd.wav", "odd.wav", "--crossfade", "0.1"]):
        assert run([*edit, "-o", "out.flac"]) == 0
    assert run(["info", "odd.wav"]) == run(["log"]) == 0
    assert len(tracks(capsys)) == 2
    run(["show", "out.flac"])
    assert "Traceback" not in capsys.readouterr().err


def test_without_a_prompt_log_nothing_is_remembered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_PROMPT_LOG", "false")
    edit_twice()
    assert read_metadata("end.mp3")["edits"]
    assert tracks(capsys) == []


def test_variations_of_an_edited_piece_are_of_the_piece(capsys: pytest.CaptureFixture[str]) -> None:
    edit_twice()
    capsys.readouterr()
    assert run(["vary", "end.mp3", "-n", "1", "-o", "v.wav", "--quiet"]) == 0
    assert "of the unedited piece" in capsys.readouterr().err
    assert read_metadata("v.wav")["seed"] == 2
