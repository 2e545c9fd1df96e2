"""The command line cut off: by signals, by readers that leave, by disks that are full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from forked_python import ForkedPopen, run_python

LONG = ("epic orchestral battle", "--duration", "20:00", "--seed", "1", "-o", "a.mp3", "--hit", "0:00")


READY = "import sys; from tunesmith.cli import main; print('ready', flush=True); main(sys.argv[1:])"


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Run the command, which says when it is loaded: before that Python itself answers to signals."""
    settings = {"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "PYTHONIOENCODING": "utf-8"}
    process = ForkedPopen(
        [sys.executable, "-c", READY, *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **settings, **environment},
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline().strip() == b"ready"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_render_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, code: int) -> None:
    (tmp_path / "tmp").mkdir()
    process = started(tmp_path, *LONG, TMPDIR=str(tmp_path / "tmp"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(number)
    _, shown = process.communicate(timeout=60)
    assert process.returncode == code
    assert len(shown.splitlines()) <= 1
    assert [file.name for file in tmp_path.rglob("*")] == ["tmp"]


def test_a_reader_that_leaves_early_hears_no_complaint(tmp_path: Path) -> None:
    process = started(tmp_path, "instruments")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    assert process.wait(60) in (0, 1)
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
@pytest.mark.parametrize("arguments", [
    ("genres",), ("genres", "--json"), ("calm piano", "--duration", "1", "-o", "-"),
    ("calm piano", "--duration", "1", "-o", "a.wav", "--json"),
])  # fmt: skip
def test_a_full_standard_output_is_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-m", "tunesmith", *arguments], cwd=tmp_path, stdout=full,
                              stderr=subprocess.PIPE, env=settings, check=False)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == [b"tunesmith: error: output: No space left on device"]


LIMITED = """
import resource, signal, sys
from tunesmith.cli import run
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.opus"])
def test_a_full_disk_is_one_line_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    settings = {"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = ["rain", "--duration", "4", "--loudness", "-8", "-o", name]
    done = run_python(["-c", LIMITED, *arguments], tmp_path, settings)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert b"output: cannot write" in done.stderr
    assert not list(tmp_path.iterdir())


def test_json_is_whole_on_a_console_that_has_few_characters(tmp_path: Path) -> None:
    process = started(tmp_path, "explain", "静かなピアノ", "--json", PYTHONIOENCODING="latin-1")
    shown, _ = process.communicate(timeout=60)
    assert json.loads(shown.decode("ascii"))["prompt"] == "静かなピアノ"
