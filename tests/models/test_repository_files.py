"""Which files of a repository are needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.errors import ModelFileError
from tunesmith.models.families.table import family_holding
from tunesmith.models.repository_files import (
    RemoteFile,
    Repository,
    companion_files,
    folder_licence,
    shard_names,
)

INDEX = json.dumps(
    {
        "model_type": "musicgen",
        "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"},
    }
)


def chosen(*names: str) -> set[str]:
    repository = Repository("org/name", "c0ffee", None, tuple(RemoteFile(name, 1) for name in names))
    return {file.name for file in family_holding(repository).choose_files(repository, lambda _: INDEX, ())}


def test_safetensors_come_before_pickles_and_never_both() -> None:
    both = ("model.safetensors", "pytorch_model.bin", "state_dict.bin", "compression_state_dict.bin")
    assert chosen("config.json", "tokenizer.json", "README.md", *both) == {
        "config.json", "tokenizer.json", "model.safetensors",
    }  # fmt: skip
    assert chosen("config.json", "pytorch_model.bin", "state_dict.bin") == {"config.json", "pytorch_model.bin"}


def test_shards_are_those_the_index_names() -> None:
    shards = ("model-1.safetensors", "model-2.safetensors")
    index = "model.safetensors.index.json"
    assert chosen("config.json", index, *shards, "model-3.safetensors") == {"config.json", index, *shards}
    with pytest.raises(
        ModelFileError, match=r"index\.json: names model-2\.safetensors, which org/name does not contain"
    ):
        chosen("config.json", index, shards[0])


def test_audiocraft_s_layout_is_known_by_its_weights() -> None:
    weights = {"state_dict.bin", "compression_state_dict.bin"}
    assert chosen("README.md", "config.json", *weights) == weights
    assert chosen("state_dict.bin") == {"state_dict.bin"}


def test_a_repository_without_weights_is_refused() -> None:
    with pytest.raises(ModelFileError, match="org/name: contains no supported model"):
        chosen("config.json", "README.md", "tf_model.h5")
    with pytest.raises(ModelFileError, match="org/name: contains no supported model: it has no "):
        chosen("README.md", "tf_model.h5")


def test_a_part_of_a_model_needs_weights() -> None:
    repository = Repository("org/t5", "c0ffee", None, (RemoteFile("config.json", 1),))
    with pytest.raises(ModelFileError, match=r"org/t5: contains no part of a model: neither model\.safetensors nor"):
        companion_files(repository, lambda _: "{}")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"weight_map": 3}', '{"weight_map": {"a": "../../x.bin"}}',
                                  '{"weight_map": {"a": "..bin"}}', '{"weight_map": {"a": 1}}',
                                  "[" * 100_000])  # fmt: skip
def test_a_damaged_or_hostile_index_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="weight_map"):
        shard_names("model.safetensors.index.json", text)


def test_a_folder_s_licence_is_that_of_its_readme(tmp_path: Path) -> None:
    assert folder_licence(tmp_path) is None
    readme = tmp_path / "README.md"
    for text, licence in (
        ("---\nlicense: mit\n---\nx", "mit"), ("x", None), ("---\n: : [\n---\n", None),
        ("---\nlicense: [mit, isc]\n---\n", "mit; isc"), ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense: other\nlicense_name: stable-audio-community\n---\n", "stable-audio-community"),
        ("---\nlicense: mit\nlicense_name: own\n---\n", "mit"), ("---\nlicense_name: own\n---\n", None),
    ):  # fmt: skip
        readme.write_text(text, encoding="utf-8")
        assert folder_licence(tmp_path) == licence
