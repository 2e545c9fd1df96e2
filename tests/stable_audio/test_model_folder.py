from __future__ import annotations

import json
from pathlib import Path

import pytest
from stable_audio_models import THIRD_SMALL

from tunesmith.errors import ModelFileError
from tunesmith.neural.architecture_file import ARCHITECTURE
from tunesmith.stable_audio.model_folder import read_architecture, write_architecture


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_architecture(tmp_path, THIRD_SMALL)
    assert read_architecture(tmp_path) == THIRD_SMALL


def test_a_folder_without_architecture_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"architecture\.json: cannot be read.*pull the model again"):
        read_architecture(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"diffusion": 1}', "[" * 100_000])
def test_a_damaged_architecture_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / ARCHITECTURE).write_text(text)
    with pytest.raises(ModelFileError, match=r"architecture\.json: is damaged"):
        read_architecture(tmp_path)


def test_an_unknown_field_is_damage(tmp_path: Path) -> None:
    values = THIRD_SMALL.to_json()
    values["diffusion"]["more"] = 1
    (tmp_path / ARCHITECTURE).write_text(json.dumps(values))
    with pytest.raises(ModelFileError, match="more"):
        read_architecture(tmp_path)


def test_the_name_of_the_folder_is_text(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="must be UTF-8"):
        read_architecture(tmp_path / "a\udcff")
