"""Models from a checkpoint's folder: converted once, and again when the files change."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from checkpoints import copy_musicgen

from tunesmith.audiocraft.models import MusicGen
from tunesmith.errors import ModelNotInstalled
from tunesmith.models.store import Store


def test_a_folder_is_converted_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TUNESMITH_NO_PULL", "")
    # The name of a folder may be that of another model, or none that a model can have.
    copy_musicgen(tmp_path / "My Fine-Tune")
    model = MusicGen.get_pretrained("My Fine-Tune")
    said = capsys.readouterr().err
    assert "is not installed yet: about" in said
    assert "licence unknown (commercial use: unknown)" in said
    assert "100% installed" in said
    (installed,) = Store.default().models()
    assert installed.name.startswith("my-fine-tune-")
    assert installed.manifest.source.location == str(tmp_path / "My Fine-Tune")
    model.set_generation_params(duration=0.1)
    assert model.generate(["song"]).shape == (1, 1, 3_200)
    # The same folder by another path needs no second conversion.
    monkeypatch.setenv("TUNESMITH_NO_PULL", "1")
    MusicGen.get_pretrained(str(tmp_path / "My Fine-Tune"))
    assert capsys.readouterr().err == ""
    weights = tmp_path / "My Fine-Tune" / "model.safetensors"
    os.utime(weights, (time.time() + 60,) * 2)
    with pytest.raises(ModelNotInstalled, match=r"TUNESMITH_NO_PULL is set; .* tunesmith pull .* --name my-fine"):
        MusicGen.get_pretrained(str(tmp_path / "My Fine-Tune"))
