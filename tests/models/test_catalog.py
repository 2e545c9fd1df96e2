"""The catalog: one record for every model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stand_ins import install

from tunesmith.errors import UnknownName
from tunesmith.licences import CommercialUse, terms_of
from tunesmith.models.catalog import (
    Origin,
    find_listed,
    find_model,
    find_pullable,
    list_models,
    pullable_models,
)
from tunesmith.models.store import Store, is_model_name

REPOSITORIES = {"magenta-rt2-small": "google/magenta-realtime-2"}
USES = {
    "stability-ai-community": CommercialUse.BELOW_REVENUE_LIMIT,
    "stability-ai-community; gemma": CommercialUse.BELOW_REVENUE_LIMIT,
    "cc-by-nc-4.0": CommercialUse.FORBIDDEN, "cc-by-4.0": CommercialUse.ALLOWED,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    return Store.default()


def test_every_family_is_there() -> None:
    sizes = ("small", "medium", "large", "melody", "melody-large")
    family = {f"musicgen-{channels}{size}" for channels in ("", "stereo-") for size in sizes}
    others = {"music", "sfx"}
    stable = {f"stable-audio-3-small-{kind}" for kind in others} | {"stable-audio-open-small", "stable-audio-open-1.0"}
    assert set(pullable_models()) == family | {"audiogen-medium", "magenta-rt2-small"} | stable


def test_every_entry_is_whole() -> None:
    for name, entry in pullable_models().items():
        assert is_model_name(name)
        owner = "stabilityai" if name.startswith("stable-audio") else "facebook"
        assert entry.hub_id == REPOSITORIES.get(name, f"{owner}/{name}")
        assert entry.parameters
        assert 10**8 < entry.parameters < 10**10
        assert entry.download_gb
        assert 1 < entry.download_gb < 20
        assert entry.licence
        assert entry.terms.commercial_use is USES[entry.licence]
        # CC BY asks those who share the weights to name their creator.
        assert bool(entry.notice) is (entry.licence == "cc-by-4.0")
        assert entry.accept_licence is ("community" in entry.licence)
        assert entry.about
        assert not re.search(r"[A-Z]", entry.name)


def test_no_name_leads_to_two_models() -> None:
    names = [name for entry in pullable_models().values() for name in entry.names]
    assert len(set(names)) == len(names)
    for name in names:
        assert find_pullable(name.upper()) is not None
    assert find_pullable("meta/musicgen") == pullable_models()["musicgen-small"]
    assert find_pullable("musicgen") is None


def test_every_model_is_listed_once_and_found_by_its_name(store: Store) -> None:
    install(store, "mine")
    install(store, "musicgen-small")
    models = {model.name: model for model in list_models()}
    assert len(models) == len(list_models())
    assert {"composer", "mine", *pullable_models()} <= set(models)
    for name, model in models.items():
        assert find_listed(name) == find_model(name) == model


def test_an_installed_model_keeps_its_names_and_takes_its_facts_from_its_manifest(store: Store) -> None:
    install(store, "musicgen-small", licence="mit")
    model = find_listed("Facebook/MusicGen-Small")
    assert (model.origin, model.licence, model.terms) == (Origin.INSTALLED, "mit", terms_of("mit"))
    assert model.names == pullable_models()["musicgen-small"].names
    assert model.is_ready
    assert not find_listed("musicgen-large").is_ready


def test_several_models_may_come_from_a_repository_which_names_none_of_the_listed(store: Store) -> None:
    mine = install(store, "mine")
    found = find_model(mine.manifest.source.location)
    assert found is not None
    assert found.name == "mine"
    with pytest.raises(UnknownName):
        find_listed(mine.manifest.source.location)


@pytest.mark.usefixtures("store")
def test_a_hosted_model_that_no_request_can_name_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_HOSTED_MODELS", "hf:facebook/musicgen-small, replicate:malformed, replicate:meta/*")
    hosted = [model for model in list_models() if model.origin is Origin.HOSTED]
    assert [(model.name, model.licence) for model in hosted] == [("hf:facebook/musicgen-small", "cc-by-nc-4.0")]
