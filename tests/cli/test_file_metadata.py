"""``tunesmith show FILE`` and ``again FILE``: a file that was written says what it was made from; it is made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from models_of_tests import installed_tiny
from sounds import wav_bytes

from tunesmith.audio import Audio
from tunesmith.cli import run

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus")
PROMPT = "calm piano “rain” — 静かな"
ASKED = [PROMPT, "--duration", "1", "--seed", "9007199254740991", "--key", "D minor", "--bpm", "70", "--quiet"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with a log of their own."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_of_every_format_says_what_it_was_made_from_and_is_made_again(
    capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    assert run([*ASKED, "-o", f"a{suffix}"]) == 0
    assert run(["show", f"a{suffix}", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["prompt"], said["seed"], said["model"]) == (PROMPT, 2**53 - 1, "composer")
    assert (said["settings"]["key"], said["request"]["tempo_bpm"]) == ("D minor", 70)
    assert "Free to use" in said["licence"]
    assert run(["again", f"a{suffix}", "-o", f"b{suffix}", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert Path(f"a{suffix}").read_bytes() == Path(f"b{suffix}").read_bytes()


def test_it_is_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ASKED, "-o", "a.flac"]) == 0
    assert run(["show", "a.flac"]) == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert (rows["file"], rows["prompt"], rows["seed"]) == ("a.flac", PROMPT, str(2**53 - 1))
    assert (rows["key"], rows["tempo_bpm"]) == ("D minor", "70.0")
    assert json.loads(rows["request"])["duration"] == 1


def test_a_file_whose_name_lost_its_suffix_is_read_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ASKED, "-o", "a.wav"]) == 0
    Path("a.wav").rename("download")
    assert run(["show", "download", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == PROMPT
    assert run(["again", "download", "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert Path(file).read_bytes() == Path("download").read_bytes()


def test_a_file_of_a_model_says_so_and_is_made_again_to_the_byte(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = installed_tiny(home / "tiny", home / "data")
    asked = ["slow piano", "--model", "tiny", "--duration", "1", "--seed", "3", "--guidance", "2", "-o", "a.mp3"]
    assert run([*asked, "--loudness", "-24", "--quiet"]) == 0
    assert run(["show", "a.mp3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["model_digest"], said["licence"]) == ("tiny", model.manifest.digest, "mit")
    assert said["settings"]["guidance_scale"] == 2
    assert run(["again", "a.mp3", "-o", "b.mp3", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert Path("a.mp3").read_bytes() == Path("b.mp3").read_bytes()
    assert run(["show", "tiny"]) == 0
    assert "mit" in capsys.readouterr().out


def test_a_model_is_still_shown_where_a_folder_has_its_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed_tiny(home / "tiny", home / "data")
    assert Path("tiny").is_dir()
    assert run(["show", "tiny"]) == 0
    assert "architecture" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "words"), [
    (("other.wav",), "file: other.wav has no metadata of its request"),
    (("none.mp3",), "cannot read none.mp3: file not found"),
    (("text.wav",), "cannot read text.wav"),
    (("other.wav", "--verify"), "verify: applies to models, and other.wav is an audio file"),
    (("nothing",), "there is no installed model called 'nothing'"),
])  # fmt: skip
def test_what_cannot_be_shown_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    Path("other.wav").write_bytes(wav_bytes())
    Path("text.wav").write_text("not a sound")
    assert run(["show", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_tags_of_another_program_are_no_request(capsys: pytest.CaptureFixture[str]) -> None:
    Audio(np.zeros((1, 8000), np.float32), 8000, {"request": "please", "prompt": "x"}).save("a.flac")
    assert run(["show", "a.flac"]) == 2
    assert run(["again", "a.flac"]) == 2
    assert capsys.readouterr().err.count("has no metadata of its request") == 2


def test_a_stitched_file_says_what_each_of_its_sounds_was_made_from(capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        assert run(["drums, 120 bpm", "--duration", "6", "--seed", str(number), "-o", f"{number}.wav", "--quiet"]) == 0
    assert run(["stitch", "1.wav", "2.wav", "-o", "both.flac"]) == 0
    assert run(["stitch", "both.flac", "1.wav", "-o", "all.mp3"]) == 0
    capsys.readouterr()
    assert run(["show", "all.mp3"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == ["stitched from", "2 sounds"]
    assert ["1", "stitched from 2 sounds"] in rows
    assert ["2 prompt", "drums, 120 bpm"] in rows
    assert run(["show", "both.flac", "--json"]) == 0
    assert [part["seed"] for part in json.loads(capsys.readouterr().out)["stitched"]] == [1, 2]
    assert run(["again", "both.flac"]) == 2
    assert "both.flac was stitched from 2 files" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["again", "vary"])
def test_a_piece_is_not_made_over_the_file_it_is_read_from(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ASKED, "-o", "a.wav"]) == 0
    before = Path("a.wav").read_bytes()
    assert run([command, "a.wav", "-o", "a.wav"]) == 2
    assert "output: must not be the input file, got a.wav" in capsys.readouterr().err
    assert Path("a.wav").read_bytes() == before
