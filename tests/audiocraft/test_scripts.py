"""Scripts written for AudioCraft run unchanged, with tiny models in place of the published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from audiogen_checkpoints import make_audiogen, write_audiogen
from doc_pages import ROOT
from forked_python import run_command
from hub_server import hub_server

from tunesmith.audio.reader import read_metadata
from tunesmith.audiocraft.data.audio import audio_read, audio_write
from tunesmith.cli import run

FOLDER = ROOT / "examples" / "audiocraft"


@pytest.fixture
def workplace(_in_data_dir: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tune = np.sin(np.cumsum(np.repeat([330, 440, 550, 660], 8_000) * 2 * np.pi / 16_000)).astype(np.float32)
    audio_write("tune", tune[None], 16_000, format="flac")
    return tmp_path


def ran(script: str, *arguments: str) -> None:
    assert run(["run-audiocraft", str(FOLDER / f"{script}.py"), *arguments]) == 0


def sound_of(path: Path) -> tuple[int, int, float]:
    """Return the sample rate, the channels and the seconds of a file that is neither silent nor clipped."""
    samples, rate = audio_read(path)
    assert 1e-3 < abs(samples.numpy()).max() <= 1
    return rate, len(samples), samples.shape[1] / rate


def test_text_to_music(workplace: Path) -> None:
    ran("text_to_music")
    files = sorted((workplace / "out").iterdir())
    assert [file.name for file in files] == ["0_0.wav", "1_0.wav", "2_0.wav"]
    assert {sound_of(file) for file in files} == {(32_000, 1, 1.0)}


@pytest.mark.filterwarnings("ignore:the name 'melody' is deprecated", "ignore:torchaudio is not installed")
def test_a_melody_from_a_file(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran("melody", "tune.flac", "styles")
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["True"] * 3
    files = sorted((workplace / "styles").iterdir())
    assert {sound_of(file) for file in files} == {(32_000, 1, 1.5)}
    assert len({file.read_bytes() for file in files}) == 3


def test_a_recording_goes_on(workplace: Path) -> None:
    ran("continuation", "tune.flac", "--output", "longer")
    assert soundfile.info("longer.mp3").format == "MP3"
    rate, channels, seconds = sound_of(workplace / "longer.mp3")
    assert (rate, channels) == (44_100, 2)
    assert seconds == pytest.approx(2.0, abs=0.1)


def test_progress_and_tokens(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del workplace
    ran("progress")
    shown = capsys.readouterr().out
    assert "\rgenerated 28 of 28\n" in shown
    assert shown.endswith("(2, 1, 16000) (2, 4, 25) (1, 28) (28, 28) True\n")


def test_sound_effects_are_pulled_after_their_size_and_licence_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = write_audiogen(tmp_path / "hub", make_audiogen())
    script = str(FOLDER / "sound_effects.py")
    with hub_server() as hub:
        for hub_id, folder in folders.items():
            hub.share(hub_id, folder, licence="cc-by-nc-4.0")
        settings = {
            "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache"), "TUNESMITH_DATA_DIR": str(tmp_path / "data"),
            "TUNESMITH_NO_PULL": "",
        }  # fmt: skip
        without = {**settings, "TUNESMITH_NO_PULL": "1"}
        refused = run_command(tmp_path, "run-audiocraft", script, environment=without)
        assert refused.returncode == 2
        assert b"TUNESMITH_NO_PULL is set; install it with: tunesmith pull facebook/audiogen-medium" in refused.stderr
        done = run_command(tmp_path, "run-audiocraft", script, environment=settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"1.3.0\n"
    assert b"audiogen-medium is not installed yet: " in done.stderr
    assert b"licence cc-by-nc-4.0 (commercial use: no)" in done.stderr
    assert {sound_of(tmp_path / f"{number}.wav") for number in range(3)} == {(16_000, 1, 1.0)}
    # The command line has the model from then on.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", settings["TUNESMITH_DATA_DIR"])
    words = ("generate", "dog barking in the rain", "--model", "audiogen-medium", "--duration", "1", "-o", "dog.wav")
    assert run(words) == 0
    assert sound_of(tmp_path / "dog.wav") == (16_000, 1, 1.0)
    assert read_metadata("dog.wav")["licence"] == "cc-by-nc-4.0"
    assert run((*words, "--commercial-safe")) == 2
    assert "audiogen-medium" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:torchaudio is not installed")
@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("import audiocraft.solvers", 1, "ImportError: audiocraft.solvers: this is for training"),
        ("from audiocraft.models import MAGNeT", 1, "ImportError: audiocraft.models.MAGNeT: MAGNeT is not here"),
        (
            "from audiocraft.models import MusicGen\nm = MusicGen.get_pretrained('musicgen-small')\nm.generate('a')",
            2,
            "script.py, line 3: descriptions: must be a list of texts, got one text",
        ),
        ("import torchaudio.functional", 2, "script.py imports torchaudio.functional, which is not here: pip install"),
        ("import sys; sys.exit('enough ' + sys.argv[1])", "enough --of-it", ""),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_what_fails_in_a_script_is_said(
    workplace: Path, capsys: pytest.CaptureFixture[str], code: str, exit_code: int | str, words: str
) -> None:
    (workplace / "script.py").write_text(code, encoding="utf-8")
    try:
        result: object = run(["run-audiocraft", "script.py", "--of-it"])
    except SystemExit as leave:
        result = leave.code
    assert result == exit_code
    printed = capsys.readouterr().err
    assert words in printed
    assert "runpy" not in printed
    assert run(["run-audiocraft", "none.py"]) == 2
    assert "script: cannot read none.py: file not found" in capsys.readouterr().err
