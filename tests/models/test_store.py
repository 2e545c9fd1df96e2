"""The store: whole models only, whatever happens while they are built."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from stand_ins import install

from tunesmith.errors import InvalidRequest, ModelFileError, UnknownName
from tunesmith.models.integrity import VERIFIED, verify
from tunesmith.models.manifest import MANIFEST
from tunesmith.models.store import PARTIAL, Store, is_model_name


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


def test_models_are_listed_found_and_removed(store: Store) -> None:
    assert store.models() == ()
    install(store, "two")
    install(store, "one")
    assert [model.name for model in store.models()] == ["one", "two"]
    store.remove("one")
    assert store.find("one") is None
    assert [model.name for model in store.models()] == ["two"]


def test_an_unknown_model_is_named_with_the_nearest(store: Store) -> None:
    install(store, "musicgen-small")
    with pytest.raises(UnknownName, match="did you mean musicgen-small"):
        store.get("musicgen-smal")
    for name in ("../x", "", ".", "x/y"):
        with pytest.raises(UnknownName):
            store.remove(name)


def test_a_failed_build_leaves_nothing_and_keeps_the_old_model(store: Store) -> None:
    install(store, "mine", b"old")
    with pytest.raises(ZeroDivisionError), store.building("mine") as folder:
        (folder / "decoder").write_bytes(b"new" * (1 // 0))
    assert (store.get("mine").folder / "decoder").read_bytes() == b"old"
    assert [path.name for path in store.models_folder.iterdir() if path.is_dir()] == ["mine"]
    install(store, "mine", b"new")
    assert (store.get("mine").folder / "decoder").read_bytes() == b"new"


def test_a_build_without_a_manifest_is_no_model(store: Store) -> None:
    with pytest.raises(ModelFileError, match="is missing"), store.building("mine") as folder:
        (folder / "decoder").write_bytes(b"x")
    assert store.models() == ()


def test_what_a_killed_process_leaves_is_never_a_model_and_is_replaced(store: Store) -> None:
    install(store, "whole")
    partial = store.models_folder / f"mine{PARTIAL}"
    partial.mkdir()
    (partial / "rest").touch()
    assert [model.name for model in store.models()] == ["whole"]
    install(store, "mine")
    assert not partial.exists()
    assert not (store.get("mine").folder / "rest").exists()
    partial.mkdir()
    store.remove("mine")
    assert not partial.exists()


def test_two_cannot_build_the_same_model_at_once(store: Store) -> None:
    two = (store.building("other"), store.building("mine"), store.building("mine"))
    with pytest.raises(InvalidRequest, match="mine is being installed"), two[0], two[1], two[2]:
        pass
    assert store.models() == ()


def test_names_are_folders_on_every_system() -> None:
    for name in ("a", "musicgen-small", "v1.2_x"):
        assert is_model_name(name)
    for name in ("", "A", "a/b", "..", ".a", "a.", "a.partial", "é", "a b", "x" * 65, "a\n"):
        assert not is_model_name(name)


def test_a_built_in_name_cannot_be_taken(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="name: 'composer' is taken"), store.building("composer"):
        pass


def test_untouched_files_are_read_once_and_changed_ones_again(store: Store) -> None:
    model = install(store, "mine")
    verify(model.folder, model.manifest)
    memory = (model.folder / VERIFIED).read_text(encoding="utf-8")
    believed = [dataclasses.replace(file, sha256="0" * 64) for file in model.manifest.files]
    wrong = dataclasses.replace(model.manifest, files=tuple(believed))
    verify(model.folder, wrong)  # not read again
    with pytest.raises(ModelFileError, match="SHA-256 differs"):
        verify(model.folder, wrong, thoroughly=True)
    (model.folder / "decoder").write_bytes(b"changed")
    with pytest.raises(ModelFileError, match=r"decoder: has changed .* tunesmith pull org/x --name mine"):
        verify(model.folder, model.manifest)
    assert (model.folder / VERIFIED).read_text(encoding="utf-8") == memory


def test_a_truncated_or_missing_file_is_named(store: Store) -> None:
    model = install(store, "mine")
    path = model.folder / "decoder"
    path.write_bytes(b"weig")
    with pytest.raises(ModelFileError, match=r"decoder: has 4 bytes, but 7 were installed; install it again"):
        verify(model.folder, model.manifest)
    path.unlink()
    with pytest.raises(ModelFileError, match=r"decoder: cannot be read"):
        verify(model.folder, model.manifest)


@pytest.mark.parametrize("memory", ["", "[]", '{"decoder": 3}'])
def test_a_damaged_memory_of_checks_only_costs_a_check(store: Store, memory: str) -> None:
    model = install(store, "mine")
    (model.folder / VERIFIED).write_text(memory, encoding="utf-8")
    verify(model.folder, model.manifest)
    assert MANIFEST not in (model.folder / VERIFIED).read_text(encoding="utf-8")
