"""``tunesmith batch`` as a user runs it: a file in, a folder of music out, again until all is made."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import strange_generators
from forked_python import ForkedPopen, run_python

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.batch.manifest import manifest_of
from tunesmith.cli import run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
LONGEST_WAIT = 120.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with a log of their own and some models that do strange things."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder, "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_file_becomes_a_folder_of_music_and_is_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    scenes = re.search(r"<!-- tested: scenes.csv -->\n```csv\n(.*?)```", PAGE, flags=re.DOTALL)
    assert scenes is not None
    Path("scenes.csv").write_text(scenes[1], encoding="utf-8")
    assert run(["batch", "scenes.csv", "--duration", "2", "--jobs", "2"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [f"3 generated, 0 already done, 0 failed: {Path('scenes', 'manifest.jsonl')}"]
    told = [line for line in shown.err.splitlines() if not line.startswith("warning: line 3, 'village by day'")]
    assert [line[:5] for line in told] == ["[1/3]", "[2/3]", "[3/3]"]
    entries = manifest("scenes")
    assert [entry["file"] for entry in entries] == ["title.wav", "village/day.mp3", "003-battle.wav"]
    for entry, seconds in zip(entries, (8, 6, 2), strict=True):
        file = Path("scenes", entry["file"])
        assert read_audio(file).duration == pytest.approx(seconds, abs=0.1)
        assert read_metadata(file)["seed"] == entry["request"]["seed"]
    assert read_metadata("scenes/title.wav")["settings"]["key"] == "D minor"
    run(["log", "--json"])
    tracks = {track["id"]: track for track in json.loads(capsys.readouterr().out)}
    assert {(track["id"], track["digest"]) for track in tracks.values()} == {
        (entry["track"], entry["digest"]) for entry in entries
    }


def test_warnings_are_shown_once_and_kept_in_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("calm piano 114, 1 second\n")
    warning = "prompt: '114' is not used; write '114 bpm' for a tempo or '114 seconds' for a length"
    assert run(["batch", "a.txt", "-o", "music", "--quiet"]) == 0
    assert f"warning: line 1, 'calm piano 114, 1 second': {warning}" in capsys.readouterr().err.splitlines()
    assert run(["batch", "a.txt", "-o", "music", "--json"]) == 0
    again = capsys.readouterr()
    assert "warning:" not in again.err
    assert json.loads(again.out)["tracks"][0]["warnings"] == manifest("music")[0]["warnings"] == [warning]


def test_a_second_run_makes_only_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("one\ntwo\nthree\n")
    given = ["batch", "a.txt", "--model", "prompt", "--json", "-o", "music"]
    assert run(given) == 0
    first = json.loads(capsys.readouterr().out)
    Path("music", "002-two.wav").unlink()
    made_at = Path("music", "001-one.wav").stat().st_mtime_ns
    assert run(given) == 0
    second = json.loads(capsys.readouterr().out)
    assert (first["made"], first["there"], second["made"], second["there"]) == (3, 0, 1, 2)
    assert [track["request"] for track in first["tracks"]] == [track["request"] for track in second["tracks"]]
    assert [track["digest"] is None for track in second["tracks"]] == [False] * 3
    assert Path("music", "001-one.wav").stat().st_mtime_ns == made_at
    assert all(Path(track["path"]).is_file() for track in second["tracks"])


def test_every_bad_row_is_shown_with_its_line_before_anything_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text(
        "prompt,bpm,genre,model,hits\ncalm,90,,,\ncalm,1400,,,\ncalm,,lofy,,\ncalm,,,musicgen-smal,\ncalm,,,,1\n"
    )
    assert run(["batch", "a.csv"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[0] for line in lines[:4]] == [f"a.csv:{number}:" for number in (3, 4, 5, 6)]
    assert " bpm: must be at most 300" in lines[0]
    assert "there is no genre called 'lofy'" in lines[1]
    assert "musicgen-small" in lines[2]
    assert "hit: 1 s lies" in lines[3]
    assert lines[4:] == ["tunesmith: error: file: a.csv has 4 problems; nothing was generated"]
    assert not Path("a").exists()


@pytest.mark.parametrize(("name", "text"), [
    ("a.jsonl", '{"promt": "calm piano that nobody wants to see again"}\n'), ("a.csv", "promt\ncalm piano\n"),
    ("a.yaml", "- promt: calm piano\n"),
])  # fmt: skip
def test_a_misspelt_column_is_said_without_the_row(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text(text)
    assert run(["batch", name]) == 2
    first, _ = capsys.readouterr().err.splitlines()
    assert first == f"{name}:1: column: there is no field 'promt'; did you mean prompt?"


def test_what_fails_is_tried_again_listed_and_made_by_the_next_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.jsonl").write_text(
        '{"prompt": "fine", "model": "prompt"}\n{"prompt": "gone", "model": "crashing"}\n'
        '{"prompt": "rhyme", "model": "mistaken"}\n{"prompt": "bug", "model": "raising"}\n'
    )
    assert run(["batch", "a.jsonl"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("1 generated, 0 already done, 3 failed")
    assert "failed: line 2, 'gone': the runner of crashing ended with exit code 3" in shown.err
    assert "failed: line 3, 'rhyme': prompt: must rhyme" in shown.err
    assert "failed: line 4, 'bug': raising has a bug: ZeroDivisionError: a secret of the program" in shown.err
    states = [(entry["state"], entry["tries"]) for entry in manifest("a")]
    assert states == [("made", 1), ("failed", 2), ("failed", 1), ("failed", 2)]
    Path("gone").touch()
    assert run(["batch", "a.jsonl"]) == 1
    assert capsys.readouterr().out.startswith("1 generated, 1 already done, 2 failed")
    assert [entry["state"] for entry in manifest("a")] == ["made", "made", "failed", "failed"]


def test_prompts_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert run(["batch", "-", "--model", "prompt", "--format", "flac", "--seed", "4", "-q"]) == 0
    assert [(entry["file"], entry["request"]["seed"]) for entry in manifest("batch")] == [
        ("001-one.flac", 4),
        ("002-two.flac", 4),
    ]


def test_two_batches_in_one_folder_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("one\n")
    with manifest_of(Path("a")):
        assert run(["batch", "a.txt", "--model", "prompt"]) == 2
    assert "out: another batch is running in a" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "words"), [
    (("none.csv",), "file: cannot read none.csv: No such file"),
    (("a.txt", "--format", "wma"), "format: the suffix must be"),
    (("a.txt", "--as", "xml"), "as: must be csv"),
    (("a.txt", "--duration", "31:00"), "duration: must be at most 1800"),
    (("a.txt", "-o", "a.txt"), "out: cannot write in the folder"),
    (("a.txt", "--jobs", "0"), "jobs: must be greater than or equal to 1, got '0'"),
    (("a.txt", "--server", "here"), "server: must be a URL such as http://127.0.0.1:8765, got 'here'"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    Path("a.txt").write_text("one\n")
    assert run(["batch", *arguments]) == 2
    assert words in capsys.readouterr().err


def started(*arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from tunesmith.cli import main; main(sys.argv[1:])"
    paths = os.pathsep.join((os.environ["PYTHONPATH"], str(ROOT / "src")))
    return ForkedPopen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, env={**os.environ, "PYTHONPATH": paths})  # fmt: skip


@pytest.fixture
def stopped_after_one() -> Iterator[subprocess.Popen[str]]:
    """A batch whose first row is made and whose second waits for a file."""
    Path("a.jsonl").write_text('{"prompt": "one", "model": "prompt"}\n{"prompt": "gate", "model": "patient"}\n')
    process = started("batch", "a.jsonl")
    try:
        deadline = time.monotonic() + LONGEST_WAIT
        while not Path("a", "001-one.wav").exists() or sum(e["state"] == "made" for e in manifest("a")) < 1:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stopped_batch_keeps_what_is_finished_and_goes_on(
    stopped_after_one: subprocess.Popen[str], capsys: pytest.CaptureFixture[str], number: signal.Signals, code: int
) -> None:
    stopped_after_one.send_signal(number)
    _, shown = stopped_after_one.communicate(timeout=LONGEST_WAIT)
    assert stopped_after_one.returncode == code
    if number is not signal.SIGKILL:
        assert "1 of 2 are done; run the same command again for the rest" in shown
    states = {entry["id"]: entry["state"] for entry in manifest("a")}
    assert sorted(states.values()) == ["made", "waiting"]
    Path("gate").touch()
    assert run(["batch", "a.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("1 generated, 1 already done, 0 failed")
    assert not list(Path("a").glob(".*.part*"))


def test_a_server_that_goes_away_is_said_with_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text("one\ntwo\n")
    assert run(["batch", "a.txt", "--duration", "1"]) == 0
    Path("a", "002-two.wav").unlink()
    capsys.readouterr()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    assert run(["batch", "a.txt", "--duration", "1", "--server", address]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "1 of 2 are done; run the same command again for the rest"
    assert said[1].startswith(f"tunesmith: error: no answer from {address}/api/jobs: ")


LIMITED = """
import resource, sys
from tunesmith.cli import run
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
def test_a_full_disk_ends_the_batch_with_one_line() -> None:
    Path("a.txt").write_text("one\ntwo\n")
    settings = {"PYTHONPATH": str(ROOT / "src"), "TUNESMITH_PROMPT_LOG": "false"}
    done = run_python(["-c", LIMITED, "batch", "a.txt", "--duration", "3"], Path(), settings, text=True)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(
        r"tunesmith: error: output: cannot write a.00[12]-(one|two)\.wav: the disk is full\n", done.stderr
    )
    assert [entry["state"] for entry in manifest("a")] == ["waiting", "waiting"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_there_is_a_bar_for_the_whole_and_one_a_track() -> None:
    import pty

    Path("a.jsonl").write_text('{"prompt": "one [bold]", "model": "prompt"}\n{"prompt": "two", "model": "mistaken"}\n')
    parent, child = pty.openpty()
    settings = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{ROOT / 'src'}", "COLUMNS": "100"}
    with os.fdopen(parent, "rb", buffering=0) as terminal:
        process = subprocess.Popen([sys.executable, "-m", "tunesmith", "batch", "a.jsonl"], stdout=subprocess.DEVNULL,
                                   stderr=child, env={**settings, "TERM": "xterm"})  # fmt: skip
        os.close(child)
        shown = b"".join(iter(lambda: _read(terminal), b"")).decode()
        assert process.wait(LONGEST_WAIT) == 1
    for words in ("0 of 2", "001-one-bold.wav", "2 of 2", "002-two.wav: failed: prompt: must rhyme", "failed: line 2"):
        assert words in shown


def _read(terminal: io.RawIOBase | io.FileIO) -> bytes:
    """Read what is shown; Linux ends a terminal that nobody writes to any more with an error."""
    try:
        return terminal.read(4096) or b""
    except OSError:
        return b""
