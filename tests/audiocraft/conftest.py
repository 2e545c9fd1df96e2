"""Tiny installed models for the AudioCraft API, opened once for all tests that only generate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audiogen_checkpoints import TINY_AUDIOGEN
from musicgen_models import install_random
from shapes import TINY, TINY_MELODY

from tunesmith.audiocraft.models import AudioGen, MusicGen
from tunesmith.models.store import Store


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with musicgen-small, musicgen-melody and audiogen-medium, all tiny and random."""
    data = tmp_path_factory.mktemp("audiocraft")
    for name, architecture in (
        ("musicgen-small", TINY), ("musicgen-melody", TINY_MELODY), ("audiogen-medium", TINY_AUDIOGEN),
    ):  # fmt: skip
        install_random(Store(data), name, architecture)
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
