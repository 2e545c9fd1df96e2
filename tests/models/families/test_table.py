"""The table of families: every model has exactly one, and each says which requests its models can never meet."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from stand_ins import install

from tunesmith.errors import InvalidRequest, ModelFileError
from tunesmith.models.families.table import FAMILIES, family_holding, family_named, family_of, refusal
from tunesmith.models.repository_files import RemoteFile, Repository
from tunesmith.models.store import Store
from tunesmith.request import GenerationRequest

FILES = {
    "musicgen": ("config.json", "state_dict.bin"),
    "magenta-rt": ("checkpoints/mrt2_small.safetensors",),
    "stable-audio": ("model_config.json", "model_index.json", "dit_sm-music_f16.npz", "MLX/dit_sm-sfx_f16.npz"),
}


def holding(*names: str) -> str:
    return family_holding(Repository("org/x", "c0ffee", None, tuple(RemoteFile(name, 1) for name in names))).kind


@pytest.mark.parametrize(("kind", "file"), [(kind, file) for kind, files in FILES.items() for file in files])
def test_a_repository_is_known_by_its_files(kind: str, file: str) -> None:
    assert holding(file) == holding("README.md", file, file if kind == "musicgen" else "config.json") == kind


def test_a_model_of_an_unknown_family_is_named(tmp_path: Path) -> None:
    manifest = install(Store(tmp_path), "mine").manifest
    assert family_of(manifest).kind == "musicgen"
    later = dataclasses.replace(manifest, sizes=dataclasses.replace(manifest.sizes, kind="later"))
    with pytest.raises(
        ModelFileError, match="mine: is a model of the family 'later'; only stable-audio, magenta-rt, musicgen are"
    ):
        family_of(later)


def test_names_of_a_family_and_of_what_is_not_run_here() -> None:
    family = family_named("Meta/MusicGen")
    assert family is not None
    assert family.kind == "musicgen"
    assert family_named("stable-audio-3-small-music") is None
    for name in ("stabilityai/stable-audio-3-small-music", "facebook/musicgen-large", "me/medium-rare"):
        assert refusal(name) is None
    assert len({family.kind for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize(("kind", "fields", "field"), [
    ("musicgen", {"loop": True}, "loop"), ("musicgen", {"steps": 8}, "steps"), ("musicgen", {"top_k": 9}, None),
    ("stable-audio", {"loop": True}, None), ("stable-audio", {"steps": 8}, None),
    ("stable-audio", {"top_k": 9}, "top_k"), ("magenta-rt", {"top_k": 9}, None), ("magenta-rt", {"loop": True}, None),
    ("magenta-rt", {"steps": 8}, "steps"), ("magenta-rt", {"without": ["drums"]}, "without"),
    ("musicgen", {"without": ["drums"]}, "without"), ("stable-audio", {"without": ["drums"]}, "without"),
])  # fmt: skip
def test_a_field_that_no_model_of_a_family_has_is_refused(
    kind: str, fields: dict[str, object], field: str | None
) -> None:
    family = next(family for family in FAMILIES if family.kind == kind)
    request = GenerationRequest.checked(prompt="calm", model="mine", **fields)
    if field is None:
        family.check_request(request)
        return
    with pytest.raises(InvalidRequest, match=f"^{field}: "):
        family.check_request(request)
