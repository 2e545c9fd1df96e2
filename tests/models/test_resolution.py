"""Which model makes what is asked for: the one named, by any of its names, or a declared stand-in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from stand_ins import install

from tunesmith.errors import ModelNotInstalled, UnknownName
from tunesmith.models.catalog import pullable_models
from tunesmith.models.factories import COMPOSER
from tunesmith.models.manifest import write_manifest
from tunesmith.models.resolution import resolve
from tunesmith.models.store import Store

MODELS = [name for entry in pullable_models().values() for name in entry.names]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    return Store.default()


@pytest.mark.parametrize("stand_ins", [True, False])
def test_the_composer_is_always_here_and_no_stand_in(stand_ins: bool) -> None:
    found = resolve(COMPOSER, allow_fallback=stand_ins)
    assert (found.requested, found.generated_by, found.is_fallback) == (COMPOSER, COMPOSER, False)


@pytest.mark.parametrize("name", MODELS)
def test_the_composer_stands_in_for_every_model_that_is_not_here(name: str) -> None:
    found = resolve(name)
    assert (found.requested, found.generated_by, found.is_fallback) == (name, COMPOSER, True)


@pytest.mark.parametrize("name", MODELS)
def test_without_stand_ins_the_command_is_named_that_brings_it(name: str) -> None:
    entry = next(entry for entry in pullable_models().values() if name in entry.names)
    with pytest.raises(ModelNotInstalled, match=f"tunesmith pull {entry.name}$"):
        resolve(name, allow_fallback=False)


@pytest.mark.parametrize("name", ["musicgen-small", "facebook/musicgen-small", "Facebook/MusicGen-Small"])
@pytest.mark.parametrize("stand_ins", [True, False])
def test_an_installed_model_is_found_by_all_of_its_names(store: Store, name: str, stand_ins: bool) -> None:
    install(store, "musicgen-small")
    found = resolve(name, allow_fallback=stand_ins)
    assert (found.generated_by, found.is_fallback) == ("musicgen-small", False)


@pytest.mark.parametrize("installed", ["musicgen-small", "musicgen-medium", "musicgen-stereo-melody-large"])
def test_the_name_of_the_family_means_whichever_of_it_is_installed(store: Store, installed: str) -> None:
    install(store, installed)
    for name in ("meta/musicgen", "Meta/MusicGen"):
        assert resolve(name, allow_fallback=False).generated_by == installed


def test_the_name_of_the_family_means_the_first_of_the_catalogue(store: Store) -> None:
    for name in ("musicgen-large", "musicgen-medium", "musicgen-small"):
        install(store, name)
        assert resolve("meta/musicgen").generated_by == name


def test_the_name_of_the_family_means_no_model_of_another_family(store: Store) -> None:
    model = install(store, "stable-audio-3-small-music")
    sizes = replace(model.manifest.sizes, kind="stable-audio")
    write_manifest(replace(model.manifest, sizes=sizes), model.folder)
    assert resolve("meta/musicgen").is_fallback
    assert resolve("stabilityai/stable-audio-3-small-music").generated_by == "stable-audio-3-small-music"


def test_one_musicgen_is_no_other(store: Store) -> None:
    install(store, "musicgen-medium")
    assert resolve("facebook/musicgen-small").is_fallback
    assert resolve("facebook/musicgen-large").is_fallback


def test_a_model_of_ones_own_is_found_by_its_name_and_by_where_it_is_from(store: Store) -> None:
    model = install(store, "mine")
    for name in ("mine", model.manifest.source.location):
        assert resolve(name, allow_fallback=False).generated_by == "mine"


@pytest.mark.parametrize("name", ["compozer", "", "../../etc/passwd", "musicgen", "nobody/nothing", "\0", "a" * 10_000])
def test_a_name_nobody_has_is_unknown(name: str) -> None:
    with pytest.raises(UnknownName):
        resolve(name)


def test_the_nearest_name_is_suggested(store: Store) -> None:
    install(store, "mine-own")
    with pytest.raises(UnknownName, match="did you mean mine-own"):
        resolve("mine-owm")
