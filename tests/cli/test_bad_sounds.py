"""Sound files that are broken, strange or huge, and places that cannot be written: one clear line, nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio.reader import read_audio
from tunesmith.cli import run

RATE = 44_100
COMMANDS = {
    "info": (), "trim": ("--end", "0.2"), "fade": ("--in", "0.1"), "convert": (), "normalize": (), "loop": (),
    "fit": ("--duration", "3"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sound in several formats."""
    monkeypatch.chdir(tmp_path)
    at = np.arange(2 * RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 220 * at) * np.exp(-(at % 0.5) * 6)
    sound += np.random.default_rng(1).normal(0, 0.05, sound.size)  # enough for several pages of Ogg
    for name in ("song.wav", "song.flac", "song.mp3", "song.ogg"):
        soundfile.write(name, np.stack([sound, sound], axis=1), RATE)
    return tmp_path


def half(name: str) -> Path:
    """Cut a file off in its middle."""
    content = Path(name).read_bytes()
    path = Path(f"half-{name}")
    path.write_bytes(content[: len(content) // 2])
    return path


def empty() -> Path:
    path = Path("empty.wav")
    path.touch()
    return path


def text() -> Path:
    path = Path("text.mp3")
    path.write_text("this is no sound\n" * 99)
    return path


def zeros() -> Path:
    path = Path("zeros.mp3")
    path.write_bytes(bytes(4000))
    return path


def a_folder() -> Path:
    path = Path("folder.wav")
    path.mkdir()
    return path


def no_numbers() -> Path:
    sound = np.full((RATE, 1), 0.1)
    sound[9] = np.nan
    soundfile.write("nan.wav", sound, RATE, subtype="FLOAT")
    return Path("nan.wav")


def no_samples() -> Path:
    soundfile.write("none.wav", np.zeros((0, 2)), RATE)
    return Path("none.wav")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (empty, "it is empty"),
        (text, "not audio, or an unsupported format"),
        (zeros, "not audio, or an unsupported format"),
        (a_folder, "it is a folder"),
        (lambda: Path("missing.wav"), "file not found"),
        (lambda: half("song.flac"), "it is damaged or cut off"),
        (no_numbers, "at 0.0 s it has samples that are NaN or infinite"),
        (no_samples, "it contains no audio"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_read_is_one_line_with_the_reason(
    command: str, make: Callable[[], Path], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make()
    output = () if command == "info" else ("-o", "x.wav")
    assert run([command, str(path), *COMMANDS[command], *output]) == 2
    said = capfd.readouterr()
    assert said.err.startswith(f"tunesmith: error: cannot read {path}: {reason}")
    assert said.err.count("\n") == 1
    assert not Path("x.wav").exists()


def test_a_file_that_may_not_be_read_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    Path("song.wav").chmod(0)
    if os.access("song.wav", os.R_OK):
        pytest.skip("the administrator may read everything")
    for arguments in (["info", "song.wav"], ["stitch", "song.wav", "song.flac", "-o", "x.wav"]):
        assert run(arguments) == 2
        assert capfd.readouterr().err == "tunesmith: error: cannot read song.wav: no permission\n"


@pytest.mark.parametrize("name", ["song.wav", "song.mp3", "song.ogg"])
def test_what_is_there_of_a_file_cut_off_is_used_with_a_warning(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = half(name)
    assert run(["convert", str(path), "-o", "x.flac"]) == 0
    said = capfd.readouterr().err
    assert said.startswith(f"warning: {path} is cut off: only the ")
    assert said.count("\n") == 1
    assert 0.5 < read_audio("x.flac").duration < 1.5


@pytest.mark.parametrize("name", ["song.wav", "song.flac", "song.mp3", "song.ogg"])
def test_a_whole_file_is_not_taken_for_one_cut_off(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", name, "-o", "x.flac"]) == 0
    assert capfd.readouterr().err == ""
    assert run(["convert", "x.flac", "-o", f"again-{name}"]) == 0
    assert run(["convert", f"again-{name}", "-o", "x.flac"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "info"])
def test_a_sound_is_not_written_over_the_one_it_is_made_of(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = Path("song.flac").read_bytes()
    Path("link.flac").symlink_to("song.flac")
    for output in ("song.flac", "./song.flac", "link.flac"):
        assert run([command, "song.flac", *COMMANDS[command], "-o", output]) == 2
        assert "output: must not be the input file" in capfd.readouterr().err
    assert run(["stitch", "song.wav", "song.flac", "-o", "song.flac"]) == 2
    assert Path("song.flac").read_bytes() == before


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT", "DOUBLE"])
def test_any_depth_and_rate_is_read_under_any_name(subtype: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = Path("mein Stück 音楽.wav")
    samples, _ = soundfile.read("song.wav")
    soundfile.write(path, samples[:, 0], 96_000, subtype=subtype)
    assert run(["convert", str(path), "-o", "ein neues 音.flac"]) == 0
    assert capfd.readouterr().out.startswith("ein neues 音.flac: 0.92 s")
    assert read_audio("ein neues 音.flac").channels == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fade", "song.wav", "-o", "x.wav"), "fade: needs --in TIME, --out TIME or both"),
        (("fade", "song.wav", "--out", "9", "-o", "x.wav"), "out: must be at most the sound's 2 s, got 9 s"),
        (("trim", "song.wav", "--start", "9", "-o", "x.wav"), "trim: must keep a part of 2 s, got 9 s to its end"),
        (("info", "song.wav", "--plot", "no/x.png"), "plot: cannot write no/x.png: there is no folder no"),
        (("loop", "short.wav", "-o", "x.wav"), "file: 0.01 s are too short for a loop, which needs 0.5 s"),
        (("fit", "short.wav", "--duration", "9", "-o", "x.wav"), "file: 0.01 s are too short to be repeated"),
    ],
)
def test_what_cannot_be_is_said_with_its_limit(
    arguments: tuple[str, ...], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    soundfile.write("short.wav", np.full(441, 0.1), RATE)
    assert run(arguments) == 2
    assert capfd.readouterr().err.startswith(f"tunesmith: error: {said}")


@pytest.mark.parametrize("command", [("trim", "--start", "1"), ("fade", "--in", "1", "--out", "2")])
def test_long_sounds_are_changed_in_little_memory(command: tuple[str, ...], folder: Path) -> None:
    with soundfile.SoundFile(folder / "long.wav", "w", RATE, 2, "PCM_16") as file:
        for _ in range(10):
            file.write(np.zeros((60 * RATE, 2), np.int16))  # as floats 200 MB in all
    whole = 10 * 60 * RATE * 2 * 4
    code = (
        "import resource, sys; from tunesmith.cli import run; import soundfile, soxr\n"
        "run(['convert', 'song.wav', '-o', 'warm.flac'])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "run(sys.argv[1:])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    arguments = [command[0], "long.wav", *command[1:], "-o", "x.flac"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) * 1024 < whole / 2


def test_a_full_disk_is_said_and_leaves_what_was_there() -> None:
    shutil.copy("song.wav", "x.wav")
    before = Path("x.wav").read_bytes()
    code = (
        "import resource, signal, sys; from tunesmith.cli import run\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "sys.exit(run(sys.argv[1:]))"
    )
    arguments = ["convert", "song.flac", "-o", "x.wav"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("tunesmith: error: output: cannot write x.wav: ")
    assert done.stderr.count("\n") == 1
    assert Path("x.wav").read_bytes() == before
    assert not list(Path().glob(".*part*"))
