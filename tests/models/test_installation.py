"""From published checkpoints of both layouts to installed models, by the real downloader, reader and converter."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy
import tokenizers
from checkpoints import Storage, copy_musicgen, write_audiocraft, write_companions, write_musicgen
from hub_server import HubServer, hub_server

from tunesmith.cli import run
from tunesmith.errors import ModelFileError, OutOfResources
from tunesmith.models.families.musicgen_resources import decoder_parameters
from tunesmith.models.hub import Hub
from tunesmith.models.integrity import verify
from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import InstalledModel, Store
from tunesmith.models.trial import try_out
from tunesmith.musicgen.checkpoint import open_checkpoint
from tunesmith.musicgen.model_folder import read_architecture
from tunesmith.neural.quantization import QUANTIZATIONS

Pull = Callable[..., InstalledModel]


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with hub_server() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


@pytest.fixture
def install(hub: HubServer, store: Store, tmp_path: Path) -> Pull:
    tools = PullTools(store, Hub(hub.url, tmp_path / "cache"))

    def run(source: str | Path, **wishes: str) -> InstalledModel:
        return pull(PullRequest(str(source), **wishes), tools, lambda _: None, lambda _: None)  # type: ignore[arg-type]

    return run


def files_of(store: Store) -> list[str]:
    return [path.name for path in store.folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def digests(model: InstalledModel) -> dict[str, str]:
    return {file.name: file.sha256 for file in model.manifest.files}


@pytest.mark.parametrize("storage", ["safetensors", "bin", "sharded-safetensors", "sharded-bin"])
def test_every_form_of_the_same_weights_becomes_the_same_model(
    hub: HubServer, install: Pull, tmp_path: Path, storage: Storage
) -> None:
    copy_musicgen(tmp_path / "plain")
    write_musicgen(tmp_path / "other", storage=storage, weight_norm="old")
    hub.share("org/other", tmp_path / "other")
    model = install("org/other")
    assert digests(model) == digests(install(tmp_path / "plain"))
    onnx.checker.check_model(str(model.folder / "decoder.onnx"))
    architecture = read_architecture(model.folder)
    assert model.manifest.sizes.hidden_size == architecture.decoder.hidden_size == 128
    assert model.manifest.parameters == decoder_parameters(architecture)
    verify(model.folder, model.manifest, thoroughly=True)


@pytest.mark.parametrize("codec", ["weights", "pointer"])
def test_an_audiocraft_checkpoint_becomes_the_same_model_as_its_twin(
    hub: HubServer, store: Store, install: Pull, tmp_path: Path, codec: str
) -> None:
    twin = write_musicgen(tmp_path / "twin")
    write_audiocraft(tmp_path / "craft", twin, codec=codec)  # type: ignore[arg-type]  # as parametrized
    hub.share("org/craft", tmp_path / "craft", licence="cc-by-nc-4.0")
    for hub_id, folder in write_companions(tmp_path / "companions", twin).items():
        hub.share(hub_id, folder)
    model = install("org/craft")
    weights = {name: digest for name, digest in digests(model).items() if name.endswith(".data")}
    assert weights.items() <= digests(install(tmp_path / "twin")).items()
    assert model.manifest.terms.is_free is False
    assert not (store.folder / "downloads").exists()


def test_parameters_are_those_of_the_weights(tmp_path: Path) -> None:
    for kind in ("text", "melody"):
        copy_musicgen(tmp_path / kind, kind=kind)
        checkpoint = open_checkpoint(tmp_path / kind)
        names = [name for name in checkpoint.weights if name.startswith(("decoder.", "enc_to_dec", "audio_enc_to"))]
        counted = sum(checkpoint.weights[name].size for name in names if "positions" not in name)
        assert decoder_parameters(checkpoint.architecture) == counted


class Hostile:
    """What a pickle that runs a program when it is read is made of."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("layout", ["transformers", "audiocraft"])
def test_a_hostile_pickle_does_not_run_and_leaves_nothing(
    hub: HubServer, store: Store, install: Pull, tmp_path: Path, layout: str
) -> None:
    folder = tmp_path / "evil"
    folder.mkdir()
    if layout == "transformers":
        copy_musicgen(folder)
        (folder / "model.safetensors").unlink()
    name = "pytorch_model.bin" if layout == "transformers" else "state_dict.bin"
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"x": Hostile(tmp_path / "mark")}))
        archive.writestr("archive/version", "3")
    hub.share("org/evil", folder)
    for source in ("org/evil", folder):
        with pytest.raises(ModelFileError, match=name):
            install(source)
    assert not (tmp_path / "mark").exists()
    assert files_of(store) == []


def cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def save_tokenizer_without_end(folder: Path) -> None:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a"))
    tokenizer.save(str(folder / "tokenizer.json"))


def lose_numbers(folder: Path) -> None:
    weights = folder / "model.safetensors"
    lost = {name: one * np.float32("nan") for name, one in safetensors.numpy.load_file(weights).items()}
    safetensors.numpy.save_file(lost, weights)


def silence(folder: Path) -> None:
    weights = folder / "model.safetensors"
    last = "audio_encoder.decoder.layers.15.conv."
    tensors = safetensors.numpy.load_file(weights)
    # The direction of a weight (``original1``) has no zeros, its length has.
    zeroed = [name for name in tensors if name.startswith(last) and not name.endswith("original1")]
    safetensors.numpy.save_file({**tensors, **{name: 0 * tensors[name] for name in zeroed}}, weights)


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


BREAK: dict[str, Callable[[Path], object]] = {
    "truncated weights": cut_weights,
    "noise for weights": lambda folder: (folder / "model.safetensors").write_bytes(os.urandom(10_000)),
    "weights that are not numbers": lose_numbers,
    "a silent codec": silence,
    "missing tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "damaged tokenizer": written("tokenizer.json", "{}"),
    "tokenizer without a model": written("tokenizer.json", '{"model": {"vocab": [["a", 0]]}}'),
    "tokenizer without an end": save_tokenizer_without_end,
    "nested tokenizer": written("tokenizer.json", '{"model":' * 100_000),
    "another architecture": written("config.json", json.dumps({"model_type": "llama"})),
    "nested config": written("config.json", "[" * 100_000),
}


@pytest.mark.parametrize(("how", "words"), [
    ("truncated weights", r"model\.safetensors"), ("missing tokenizer", r"tokenizer\.json"),
    ("damaged tokenizer", r"tokenizer\.json"), ("another architecture", r"config\.json.*model_type.*'llama'"),
    ("noise for weights", r"model\.safetensors"), ("tokenizer without a model", r"tokenizer\.json"),
    ("tokenizer without an end", r"^model file tokenizer\.json: has no end token"),
    ("weights that are not numbers", r"model\.safetensors: .* NaN or infinite"), ("nested config", r"config\.json"),
    ("nested tokenizer", r"tokenizer\.json"), ("a silent codec", "broken: the model generates silence"),
])  # fmt: skip
def test_a_broken_checkpoint_is_named_and_leaves_nothing(
    hub: HubServer, store: Store, install: Pull, tmp_path: Path, how: str, words: str
) -> None:
    copy_musicgen(tmp_path / "broken")
    BREAK[how](tmp_path / "broken")
    hub.share("org/broken", tmp_path / "broken")
    for source in ("org/broken", tmp_path / "broken"):
        with pytest.raises(ModelFileError, match=words):
            install(source)
    assert files_of(store) == []


def test_a_model_that_memory_cannot_hold_is_not_installed_untried(store: Store, tmp_path: Path) -> None:
    copy_musicgen(tmp_path / "tiny")
    tools = PullTools(store, try_out=partial(try_out, available=lambda: 1000))
    with pytest.raises(OutOfResources, match=r"not enough memory for tiny: it needs about .* and 1 kB is available"):
        pull(PullRequest(str(tmp_path / "tiny")), tools, lambda _: None, lambda _: None)
    assert store.models() == ()


def test_each_quantization_is_another_model(install: Pull, tmp_path: Path) -> None:
    copy_musicgen(tmp_path / "mine")
    found = set()
    for quantization in QUANTIZATIONS:
        manifest = install(tmp_path / "mine", quantization=quantization).manifest
        assert manifest.quantization == quantization
        found.add(manifest.digest)
    assert len(found) == len(QUANTIZATIONS)


def test_a_model_can_be_moved_with_its_store(install: Pull, store: Store, tmp_path: Path) -> None:
    copy_musicgen(tmp_path / "mine")
    install(tmp_path / "mine")
    shutil.move(store.folder, tmp_path / "elsewhere")
    (model,) = Store(tmp_path / "elsewhere").models()
    verify(model.folder, model.manifest)


def test_a_pull_measures_the_decoder_and_check_measures_it_again(
    install: Pull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    copy_musicgen(tmp_path / "mine")
    measured = install(tmp_path / "mine").manifest.self_check
    assert measured is not None
    for command in ("show", "check"):
        assert run((command, "mine")) == 0
        shown = capsys.readouterr().out
        assert f"error {measured.error:.2%}, within 5 times bfloat16's own {measured.bfloat16_error:.2%}" in shown
        assert "layers: 17 int8" in shown
    assert install(tmp_path / "mine", quantization="none").manifest.self_check is None
