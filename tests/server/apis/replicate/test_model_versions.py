"""Every model of this machine has an owner, a name and a version on this API, whatever its users called it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stand_ins import install

from tunesmith.models.manifest import Source, write_manifest
from tunesmith.models.store import Store
from tunesmith.server.apis.replicate.models import (
    META_MUSICGEN,
    MUSICGEN_VERSION,
    PUBLIC_VERSIONS,
    PublishedModel,
    find_model,
    find_version,
    published_models,
    version_note,
)
from tunesmith.server.apis.replicate.request import read_input


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    return Store.default()


def installed_from(store: Store, name: str, location: str) -> None:
    model = install(store, name)
    write_manifest(replace(model.manifest, source=Source(location, "c0ffee" * 6 + "c0de")), model.folder)


def found(name: str) -> PublishedModel:
    model = find_model(name)
    assert model is not None, name
    return model


@pytest.mark.usefixtures("store")
def test_musicgen_has_the_name_and_version_that_programs_have_written_down() -> None:
    assert published_models()[0].name == META_MUSICGEN == found("Meta/MusicGen").name
    for version in (MUSICGEN_VERSION, f"{META_MUSICGEN}:{MUSICGEN_VERSION}", META_MUSICGEN):
        assert find_version(version) == found(META_MUSICGEN)


@pytest.mark.usefixtures("store")
def test_any_version_that_a_program_may_have_pinned_under_a_name_here_is_that_model() -> None:
    for name in (META_MUSICGEN, "facebook/musicgen-small", "tunesmith/composer"):
        for version in (*PUBLIC_VERSIONS, "0" * 64):
            model = find_version(f"{name}:{version}")
            assert model == find_version(version, name) == found(name)
            note = version_note(model, f"{name}:{version}")
            assert (note is None) == (version == model.version)
            assert note is None or model.version[:8] in note
        for malformed in ("0" * 63, "0" * 65, "g" * 64, "A" * 64, "latest", ""):
            assert find_version(f"{name}:{malformed}") is None
    assert {find_version(version) for version in PUBLIC_VERSIONS} == {found("facebookresearch/musicgen")}
    assert find_version("0" * 64) is find_version("0" * 64, "nobody/nothing") is None


def test_a_model_pulled_from_the_hub_has_its_id_and_one_from_a_folder_our_name(store: Store) -> None:
    before = published_models()
    installed_from(store, "their-finetune", "Someone/Their-Finetune")
    installed_from(store, "mine", "/home/me/mine")
    assert {model.name for model in published_models()} - {model.name for model in before} == {
        "Someone/Their-Finetune", "tunesmith/mine",
    }  # fmt: skip
    for name in ("someone/their-finetune", "tunesmith/their-finetune"):
        assert found(name).name_here == "their-finetune"
    mine = found("tunesmith/mine")
    assert mine.name_here == "mine"
    assert find_version(mine.version) == find_version(f"tunesmith/mine:{mine.version}") == mine
    assert find_version(f"tunesmith/other:{mine.version}") is None


def test_a_model_of_the_catalogue_is_listed_once_installed_or_not(store: Store) -> None:
    before = published_models()
    installed_from(store, "musicgen-small", "facebook/musicgen-small")
    assert published_models() == before


def test_a_model_that_was_removed_is_no_longer_there(store: Store) -> None:
    installed_from(store, "mine", "/home/me/mine")
    assert find_model("tunesmith/mine")
    store.remove("mine")
    assert find_model("tunesmith/mine") is None


def test_names_and_versions_are_all_different(store: Store) -> None:
    installed_from(store, "mine", "/home/me/mine")
    everything = published_models()
    assert len({model.name for model in everything}) == len({model.version for model in everything}) == len(everything)


@pytest.mark.parametrize(("model", "version", "mono"), [
    (META_MUSICGEN, None, False), (META_MUSICGEN, "large", True), (META_MUSICGEN, "stereo-large", False),
    ("facebook/musicgen-small", None, True), ("facebook/musicgen-stereo-small", None, False),
    ("composer", None, False), ("mine", None, False),
])  # fmt: skip
def test_only_musicgens_own_mono_models_are_answered_in_mono(model: str, version: str | None, mono: bool) -> None:
    music = read_input({"prompt": "lofi", **({"model_version": version} if version else {})})
    assert music.request(model, None).mono is mono
