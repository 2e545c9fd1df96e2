"""Tiny installed models for the AudioCraft API, opened once for all tests that only generate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audiogen_checkpoints import make_audiogen, write_audiogen
from checkpoints import Kind, write_musicgen
from models_of_tests import pulled

from tunesmith.audiocraft.models import AudioGen, MusicGen


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with musicgen-small, musicgen-melody and audiogen-medium, all tiny and random."""
    folder = tmp_path_factory.mktemp("audiocraft")
    data = folder / "data"
    kinds: dict[str, Kind] = {"musicgen-small": "text", "musicgen-melody": "melody"}
    for name, kind in kinds.items():
        write_musicgen(folder / name, kind=kind)
        pulled(name, {f"facebook/{name}": folder / name}, data, licence="cc-by-nc-4.0")
    pulled("audiogen-medium", write_audiogen(folder, make_audiogen()), data, licence="cc-by-nc-4.0")
    return data


@pytest.fixture(scope="session")
def _in_data_dir(data_dir: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_DATA_DIR", str(data_dir))
        patch.setenv("TUNESMITH_NO_PULL", "1")
        patch.setenv("TUNESMITH_THREADS", "1")
        yield


@pytest.fixture(scope="session")
def small(_in_data_dir: None) -> MusicGen:
    return MusicGen.get_pretrained("facebook/musicgen-small")


@pytest.fixture(scope="session")
def melody(_in_data_dir: None) -> MusicGen:
    return MusicGen.get_pretrained()


@pytest.fixture(scope="session")
def sounds(_in_data_dir: None) -> AudioGen:
    return AudioGen.get_pretrained()
