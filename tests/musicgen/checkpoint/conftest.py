"""A tiny checkpoint in each layout, written once for all tests that only read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkpoints
import pytest


@dataclass(frozen=True, slots=True)
class Written:
    folder: Path
    model: Any


@pytest.fixture(scope="session")
def text_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("text")
    return Written(folder, checkpoints.write_musicgen(folder))


@pytest.fixture(scope="session")
def melody_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("melody")
    return Written(folder, checkpoints.write_musicgen(folder, kind="melody", audio_channels=2, weight_norm="old"))


@pytest.fixture
def copied(text_checkpoint: Written, tmp_path: Path) -> Path:
    """A copy of the text checkpoint, to be spoilt."""
    for file in text_checkpoint.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path
