"""AudioGen from the command line, pulled by its name from a hub in audiocraft's layout."""

from __future__ import annotations

from pathlib import Path

import pytest
from audiogen_checkpoints import AUDIOGEN, make_audiogen, write_audiogen
from models_of_tests import pulled

from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import insert_default_command, run


def test_a_dog_barks_in_the_rain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    repositories = write_audiogen(tmp_path, make_audiogen())
    model = pulled("audiogen-medium", repositories, tmp_path / "data", licence="cc-by-nc-4.0")
    assert (model.name, model.manifest.source.location) == ("audiogen-medium", AUDIOGEN)
    words = ("dog barking in the rain", "--model", "audiogen-medium", "--duration", "1", "-o", "dog.wav")
    assert run(insert_default_command(words)) == 0
    sound = read_audio("dog.wav")
    assert (sound.sample_rate, sound.channels, sound.num_samples) == (16_000, 1, 16_000)
    assert abs(sound.samples).max() > 0.01
    assert read_metadata("dog.wav")["licence"] == "cc-by-nc-4.0"
    assert run(insert_default_command((*words, "--commercial-safe"))) == 2
    assert "audiogen-medium" in capsys.readouterr().err
