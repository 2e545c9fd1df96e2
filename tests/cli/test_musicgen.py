"""An installed MusicGen model from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkpoints import copy_musicgen

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    copy_musicgen(tmp_path / "checkpoint", kind="melody")
    assert run(("pull", "./checkpoint", "--name", "tiny", "--quiet")) == 0
    capsys.readouterr()
    return tmp_path


@pytest.mark.usefixtures("workplace")
def test_a_pulled_model_makes_continues_and_follows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("slow piano", "--model", "tiny", "--duration", "1.5", "-o", "a.wav")) == 0
    first = read_audio("a.wav")
    assert (first.sample_rate, first.num_samples) == (32_000, 48_000)
    capsys.readouterr()
    flags = ("--audio", "a.wav", "--continue", "--melody", "a.wav", "--negative-prompt", "drum", "--guidance", "2",
             "--temperature", "0.5", "--top-k", "9", "--bpm", "90", "--sample-rate", "44100")  # fmt: skip
    assert run(("slow piano", "--model", "tiny", "--duration", "3", "-n", "2", "-o", "b.wav", "--json", *flags)) == 0
    settings = read_metadata("b.wav")["settings"]
    wanted = {
        "text": "slow piano, 90 bpm", "negative_prompt": "drum", "guidance_scale": 2.0, "temperature": 0.5, "top_k": 9,
        "continued": "a.wav", "melody": "a.wav", "duration": 3.0,
    }  # fmt: skip
    assert wanted.items() <= settings.items()
    made = json.loads(capsys.readouterr().out)
    assert [one["files"] for one in made] == [["b.wav"], ["b-2.wav"]]
    assert read_audio("b-2.wav").num_samples == 3 * 44_100
    assert (read_audio("b.wav").samples != read_audio("b-2.wav").samples).any()


def test_settings_meant_for_the_composer_do_not_reach_a_model(workplace: Path) -> None:
    (workplace / "config.toml").write_text('soundfont = "mine.sf2"\nduration = 2\n')
    assert run(("slow piano", "--model", "tiny", "-o", "a.wav", "--quiet")) == 0
    assert (read_audio("a.wav").sample_rate, read_audio("a.wav").duration) == (32_000, 2)


@pytest.mark.parametrize(("flags", "words"), [
    (("--bars", "4"), "bars: only the composer, Stable Audio and Magenta RealTime models support it, not tiny, got 4"),
    (("--stems", "folder"), "model: only composer has stems"),
    (("--audio", "none.wav", "--continue"), "cannot read none.wav: file not found"),
])  # fmt: skip
@pytest.mark.usefixtures("workplace")
def test_what_a_model_cannot_do_is_one_line(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], words: str
) -> None:
    assert run(("slow piano", "--model", "tiny", "-o", "a.wav", *flags)) == 2
    assert f"tunesmith: error: {words}" in capsys.readouterr().err


@pytest.mark.usefixtures("workplace")
def test_a_piece_longer_than_the_models_window_is_made_window_by_window_and_is_exactly_as_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ("slow piano", "--model", "tiny", "--seed", "1", "--duration", "36", "--quiet")
    assert run((*asked, "--loudness", "-24", "-o", "long.flac")) == 0
    samples = read_audio("long.flac").samples
    assert samples.shape[1] == 36 * 32_000
    assert abs(samples[:, -32_000:]).max() > 0.01
    assert run(("again", "long.flac", "-o", "again.flac", "--quiet")) == 0
    assert Path("again.flac").read_bytes() == Path("long.flac").read_bytes()
    assert capsys.readouterr().err == ""
