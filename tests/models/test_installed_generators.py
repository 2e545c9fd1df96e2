"""Installed models, found by the registry and run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from checkpoints import copy_musicgen

from tunesmith.errors import ModelFileError, OutOfResources
from tunesmith.generator import BatchingGenerator, never_cancelled, no_progress
from tunesmith.models.catalog import find_installed, list_models
from tunesmith.models.families.musicgen_resources import memory_needed, row_memory
from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.registry import Registry
from tunesmith.models.store import InstalledModel, Store
from tunesmith.musicgen.model_folder import read_architecture
from tunesmith.request import GenerationRequest


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstalledModel:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    copy_musicgen(tmp_path / "mine")
    (tmp_path / "mine" / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    tools = PullTools(Store.default())
    return pull(PullRequest(str(tmp_path / "mine")), tools, lambda _: None, lambda _: None)


def test_an_installed_model_makes_music_and_says_its_licence(mine: InstalledModel) -> None:
    request = GenerationRequest.checked(prompt="slow piano", model="mine", seed=3, duration=1)
    audio = Registry.discover().create("mine").generate(request, no_progress, never_cancelled)
    assert audio.duration == 1.0
    assert np.abs(audio.samples).max() > 0
    metadata = audio.metadata
    about = (metadata["model"], metadata["licence"], metadata["model_digest"])
    assert about == ("mine", "mit", mine.manifest.digest)


def test_a_model_is_found_by_every_name_it_has(mine: InstalledModel) -> None:
    assert find_installed("mine") == find_installed(mine.manifest.source.location) == mine
    assert find_installed("other") is None
    assert {"mine", "musicgen-small"} <= {model.name for model in list_models()}


def test_a_corrupted_file_is_found_when_the_model_is_loaded(mine: InstalledModel) -> None:
    path = mine.folder / "decoder.onnx.data"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"decoder\.onnx\.data: has changed .* tunesmith pull .* --name mine"):
        Registry.discover().create("mine")


@pytest.mark.usefixtures("mine")
def test_a_model_too_large_for_the_memory_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.models.installed_generators.available_memory", lambda: 10_000_000)
    with pytest.raises(
        OutOfResources, match=r"not enough memory for mine: it needs about 1.. MB, and 10 MB is available"
    ):
        Registry.discover().create("mine")


@pytest.mark.parametrize(("spare_rows", "places"), [(100, 8), (10, 3), (0, 1)])
def test_a_model_takes_as_many_callers_as_it_is_asked_for_and_the_memory_holds(
    mine: InstalledModel, monkeypatch: pytest.MonkeyPatch, spare_rows: int, places: int
) -> None:
    architecture = read_architecture(mine.folder)
    free = memory_needed(mine.manifest, architecture) + spare_rows * row_memory(architecture)
    monkeypatch.setattr("tunesmith.models.installed_generators.available_memory", lambda: free)
    generator = Registry.discover().create("mine")
    assert isinstance(generator, BatchingGenerator)
    assert generator.load(16) == places
