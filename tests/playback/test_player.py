"""Playing through a program: it gets the whole sound, as it comes; stopping it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
from fake_player import fake_player
from forked_python import ForkedPopen

import tunesmith
from tunesmith.audio import Audio
from tunesmith.cli import run
from tunesmith.composer.mix.streaming import mix_stream
from tunesmith.errors import InvalidRequest, PlaybackError
from tunesmith.playback import SoundPlayer, find_player, play_blocks
from tunesmith.playback.outputs import SoundDevice

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program is a script with a shebang line")

NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 100_000)).astype(np.float32)
STUBBORN = "#!{python}\nimport time\nopen({heard!r}, 'w').close()\ntime.sleep(60)\n{ending}"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    programs = psutil.Process().children()
    yield
    assert {"player", "mix"}.isdisjoint(thread.name for thread in threading.enumerate())
    assert psutil.Process().children() == programs


def play(audio: Audio) -> None:
    with SoundPlayer(find_player()(audio.sample_rate, audio.channels)) as player:
        play_blocks(player, audio.blocks(9_000), audio.sample_rate, audio.channels, audio.num_samples)
        player.finish()


def test_the_program_gets_the_whole_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = fake_player(tmp_path, monkeypatch)
    play(Audio(NOISE, 44_100))
    with wave.open(str(heard)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (44_100, 2, 100_000)
        samples = np.frombuffer(file.readframes(100_000), "<i2").reshape(-1, 2).T / 32_768
    assert np.abs(samples - NOISE).max() < 1e-4


def test_a_listener_that_does_not_read_is_stopped_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = fake_player(tmp_path, monkeypatch, script=STUBBORN)
    with SoundPlayer(find_player()(44_100, 2)) as player:
        # More than a pipe holds, and yet writing does not wait.
        player.write(bytes(2_000_000))
        while not heard.exists():
            time.sleep(0.01)


def test_a_program_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_player(tmp_path, monkeypatch, ending="sys.stderr.write('no device\\n'); sys.exit(3)")
    with pytest.raises(PlaybackError, match="ffplay ended with exit code 3: no device"):
        play(Audio(NOISE, 44_100))


def test_a_program_that_the_listener_closes_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_player(tmp_path, monkeypatch, script="#!{python}\n# {heard}{ending}\n")
    play(Audio(np.tile(NOISE, 20), 44_100))


def test_without_a_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(InvalidRequest, match=r"^play: nothing to play with: install one of ffplay, mpv"):
        find_player()


def test_a_sound_device_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unplugged:
        def __init__(self, *_: object, **__: object) -> None:
            self.start = self.stop = self.abort = self.close = lambda **_: None

        def write(self, _: bytes) -> None:
            raise Exception("unplugged")  # of a class that nobody else can import

    package = ModuleType("sounddevice")
    package.RawOutputStream = Unplugged  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", package)
    with SoundPlayer(SoundDevice(44_100, 2)) as player:
        player.write(bytes(1_000))
        with pytest.raises(PlaybackError, match=r"^sounddevice: unplugged$"):
            player.finish()


def test_the_command_plays_while_it_makes_and_writes_the_usual_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mix_stream, "SHORT_SECONDS", 1.0)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    heard, path, again = fake_player(tmp_path, monkeypatch), tmp_path / "calm.wav", tmp_path / "again.wav"
    assert run(["calm piano", "--seed", "7", "--duration", "3", "--play", "-o", str(path)]) == 0
    with wave.open(str(heard)) as file:
        assert file.getnframes() == 3 * 44_100
    tunesmith.generate("calm piano", seed=7, duration=3).save(again)
    assert path.read_bytes() == again.read_bytes()
    heard.unlink()
    assert run(["play", str(path)]) == 0
    assert heard.stat().st_size > 3 * 44_100 * 4
    for wish in (["again", str(path)], ["vary", str(path), "slower"]):
        heard.unlink()
        assert run([*wish, "--play", "-o", str(again)]) == 0
        assert heard.stat().st_size >= 3 * 44_100 * 4
    assert path.read_bytes() != again.read_bytes()
    for wish in (["a", "-n2"], ["vary", str(path), "-n2"]):
        assert run([*wish, "--play"]) == 2
        assert "play: plays one piece, got --variations 2" in capsys.readouterr().err
    assert run(["fade", str(path), "--out", "1", "-o", str(again)]) == 0
    assert run(["again", str(again), "--play", "-o", str(heard)]) == 2
    assert "play: does not go with a track that was edited" in capsys.readouterr().err


def test_ctrl_c_stops_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = fake_player(tmp_path, monkeypatch, script=STUBBORN)
    path = Audio(np.tile(NOISE, 20), 44_100).save(tmp_path / "noise.wav")
    code = "import sys; from tunesmith.cli import main; main(sys.argv[1:])"
    settings = {**os.environ, "PYTHONPATH": str(Path(tunesmith.__file__).parents[1])}
    process = ForkedPopen(
        [sys.executable, "-c", code, "play", str(path)], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not heard.exists() and process.poll() is None:
        time.sleep(0.02)
    programs = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == b"tunesmith: error: stopped\n"
    assert process.returncode == 130
    assert programs
    assert not psutil.wait_procs(programs, timeout=60)[1]
