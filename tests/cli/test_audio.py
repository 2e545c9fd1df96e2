"""Working with sound files from the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import soundfile
from forked_python import run_command

import tunesmith
from tunesmith.audio.reader import read_metadata

PROMPT = "bossa nova, 130 bpm, C major"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run_command(folder, *arguments)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def told(folder: Path, *arguments: str) -> dict[str, Any]:
    done = run(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = json.loads(done.stdout)
    return values


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    tunesmith.generate(PROMPT, duration=16, seed=3).save(folder / "song.flac")
    (folder / "not.wav").write_bytes(b"this is no sound")
    return folder


def test_info_tells_what_was_asked_for_and_what_is_heard(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "song.png"
    values = told(folder, "info", "song.flac", "--plot", str(picture))
    assert (values["duration"], values["prompt"], values["seed"], values["key"]) == (16.0, PROMPT, 3, "C major")
    assert values["tempo_bpm"] == pytest.approx(130, rel=2e-3)
    assert values["true_peak_dbtp"] <= -1
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        (("convert", "song.flac", "-o", "a.mp3", "--sample-rate", "32000", "--mono"), 16.0),
        (("trim", "song.flac", "--start", "0:02", "--end", "5.5", "-o", "b.wav"), 3.5),
        (("fade", "song.flac", "--in", "1", "--out", "2", "-o", "c.ogg"), 16.0),
        (("normalize", "song.flac", "--loudness", "-20", "-o", "d.opus"), 16.0),
        (("fit", "song.flac", "--duration", "0:30", "-o", "e.wav"), 30.0),
        (("loop", "song.flac", "--bars", "4", "-o", "f.flac"), 4 * 4 * 60 / 130),
        (("stitch", "song.flac", "song.flac", "-o", "g.wav"), None),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_change_is_a_file_that_says_where_it_is_from(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], seconds: float | None
) -> None:
    output = tmp_path / arguments[arguments.index("-o") + 1]
    done = run(folder, *(str(output) if one == output.name else one for one in arguments))
    assert done.returncode == 0, done.stderr
    assert str(output) in done.stdout
    if seconds is not None:
        assert soundfile.info(str(output)).duration == pytest.approx(seconds, abs=0.1)
        assert read_metadata(output)["prompt"] == PROMPT


def test_normalizing_reaches_the_loudness(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "normalize", "song.flac", "--loudness", "-23", "-o", str(tmp_path / "n.wav")).returncode == 0
    assert told(tmp_path, "info", "n.wav")["loudness_lufs"] == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("info", "not.wav"), "cannot read not.wav"),
        (("info", "missing.wav"), "cannot read missing.wav: file not found"),
        (("info", "song.flac", "--plot", "a.jpg"), "plot: must end in .png"),
        (("trim", "song.flac", "--start", "20", "-o", "x.wav"), "trim: must keep a part"),
        (("trim", "song.flac", "--start", "soon", "-o", "x.wav"), "start: must be a time"),
        (("convert", "song.flac", "-o", "x.xyz"), "output: "),
        (("fit", "song.flac", "--duration", "9:99:99:99", "-o", "x.wav"), "duration: must be a time"),
        (("stitch", "song.flac", "-o", "x.wav"), "files: must be at least two"),
        (("loop", "song.flac", "--bars", "99", "-o", "x.wav"), "bars: no loop of 99 bars"),
    ],
    ids=str,
)
def test_mistakes_are_one_line_and_leave_no_file(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(folder, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(folder.glob("x.*"))
