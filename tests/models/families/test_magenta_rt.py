"""Magenta RealTime 2 pulled from a hub on loopback, in the layout of its repository."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_server import hub_server
from magenta_checkpoint import CHECKPOINT, HUB_ID, MUSICCOCA, Arrays, tiny_weights, write_magenta_tree
from magenta_vectors import has_magenta_vectors
from stable_audio_pulls import PullBench

from tunesmith.audio.reader import read_audio
from tunesmith.cli import run
from tunesmith.errors import InvalidRequest, ModelFileError, OutOfResources
from tunesmith.magenta_rt.licence_file import LICENCE_TEXT, MODEL_NOTICE
from tunesmith.magenta_rt.model_folder import LICENCE
from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.models.catalog import find_pullable
from tunesmith.models.families.magenta_rt import MagentaFamily
from tunesmith.models.families.trial_sound import check_sound
from tunesmith.models.hub import Hub
from tunesmith.models.manifest import Manifest
from tunesmith.models.pull import PullTools
from tunesmith.models.resolution import resolve
from tunesmith.models.store import Store
from tunesmith.models.trial import try_out

pytestmark = has_magenta_vectors
NAME = "magenta-rt2-small"


LAST_CONVOLUTION = "params/soundstream/decoder/output_layer/base_conv_last/conv"


def only_encode(folder: Path, manifest: Manifest) -> None:
    """Encode a prompt, in place of a whole trial."""
    assert manifest.sizes.kind == "magenta-rt"
    assert len(StyleEncoder(folder).encode([("calm piano", 1.0)], 0)) == 12


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is published: with files that are not needed."""
    folder = write_magenta_tree(tmp_path_factory.mktemp("tree"))
    for name in ("checkpoints/mrt2_base.safetensors", f"{MUSICCOCA}/music_encoder.tflite", "README.md"):
        (folder / name).write_bytes(b"not needed")
    return folder


@pytest.fixture
def bench(tmp_path: Path, tree: Path) -> Iterator[PullBench]:
    with hub_server() as hub:
        hub.share(HUB_ID, tree, licence="cc-by-4.0")
        tools = PullTools(Store(tmp_path / "data"), Hub(hub.url, tmp_path / "cache"), try_out=only_encode)
        yield PullBench(hub, tools, [])


def test_the_needed_files_are_pulled_converted_measured_and_attributed(
    bench: PullBench, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(bench.tools.store.folder))
    model = bench.pull("mrt2_small", accept_licence=False)
    (offer,) = bench.offers
    used = [tree / CHECKPOINT, *(one for one in (tree / MUSICCOCA).iterdir() if one.name != "music_encoder.tflite")]
    assert offer.download == sum(path.stat().st_size for path in used)
    assert not bench.hub.downloads("mrt2_base.safetensors")
    assert not bench.hub.downloads("music_encoder.tflite")
    assert (offer.licence, offer.notice, offer.terms.is_free) == ("cc-by-4.0", MODEL_NOTICE, True)
    manifest = model.manifest
    assert (manifest.name, manifest.source.location, manifest.notice) == (NAME, HUB_ID, MODEL_NOTICE)
    assert str(manifest.sizes) == "magenta-rt: 2 layers of 32, 2 heads, 4 codebooks, 48000 Hz stereo"
    assert manifest.sizes.abilities == ()
    assert manifest.self_check is not None
    assert manifest.self_check.is_within
    assert (model.folder / LICENCE).read_text(encoding="utf-8") == LICENCE_TEXT
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest
    assert not (bench.tools.store.folder / "downloads").exists()
    one, eight = (MagentaFamily().memory_needed(model.folder, manifest, callers) for callers in (1, 8))
    assert 150_000_000 < one < eight < one + 8 * 40_000_000
    assert run(("list",)) == 0
    listed = capsys.readouterr()
    assert listed.err.splitlines() == [f"{NAME}: {MODEL_NOTICE}"]
    assert len(listed.out.splitlines()) == 1
    assert run(("show", NAME)) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"notice {MODEL_NOTICE[:40]}" in shown
    assert run(("show", NAME, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["notice"] == MODEL_NOTICE


def test_the_same_model_comes_from_a_folder_and_without_the_mapper(
    bench: PullBench, tree: Path, tmp_path: Path
) -> None:
    pulled = bench.pull(NAME, quantization="none")
    mine = bench.pull(str(tree), name="mine", quantization="none")
    weights = [
        {file.name: file.sha256 for file in model.manifest.files if not file.name.endswith(".npz")}
        for model in (pulled, mine)
    ]
    assert weights[0] == weights[1]
    shutil.copytree(tree, tmp_path / "older")
    (tmp_path / "older" / MUSICCOCA / "mapper.tflite").unlink()
    older = bench.pull(str(tmp_path / "older"), quantization="none")
    assert "mapper_0.onnx" not in {file.name for file in older.manifest.files}
    assert older.manifest.self_check is None
    assert older.manifest.remark.startswith("resources/musiccoca/mapper.tflite was not there: ")
    assert pulled.manifest.remark == ""


@pytest.mark.parametrize("source", [
    "google/mrt2_base", "mrt2_base", "magenta-rt2-base", "org/magenta-realtime-2-base", "google/magenta-realtime",
    "magenta-rt",
])  # fmt: skip
def test_models_that_are_not_run_here_are_refused_by_name_with_what_to_use(bench: PullBench, source: str) -> None:
    with pytest.raises(InvalidRequest, match=f"source: {source} is .*: use {NAME}$"):
        bench.pull(source)
    assert bench.hub.requests == []


def test_what_the_repository_lacks_is_found_out_before_the_download(
    bench: PullBench, tree: Path, tmp_path: Path
) -> None:
    shutil.copytree(tree, tmp_path / "poor")
    (tmp_path / "poor" / MUSICCOCA / "spm.model").unlink()
    bench.hub.share("org/poor", tmp_path / "poor")
    with pytest.raises(ModelFileError, match=r"resources/musiccoca/spm\.model: is not in org/poor"):
        bench.pull("org/poor")
    with pytest.raises(InvalidRequest, match="quantize: must be one of int8, int8-32, none, got 'int4'"):
        bench.pull(NAME, quantization="int4")
    bench.tools = dataclasses.replace(bench.tools, free_bytes=lambda _: 1000)
    with pytest.raises(OutOfResources, match=r"not enough disk for google/magenta-realtime-2: .* 1 kB is free"):
        bench.pull(NAME)
    assert not bench.hub.downloads(".safetensors")
    assert bench.left() == set()


def test_too_little_memory_is_said_in_numbers_and_keeps_the_download(
    bench: PullBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.models.families.magenta_rt.available_memory", lambda: 100_000_000)
    with pytest.raises(OutOfResources, match=rf"not enough memory for {NAME}: it needs about 1\d\d MB, and 100 MB is"):
        bench.pull(NAME)
    assert "mrt2_small.safetensors" in bench.left()


def test_a_truncated_file_leaves_nothing_behind(bench: PullBench, tree: Path, tmp_path: Path) -> None:
    for name, words in (
        (CHECKPOINT, "mrt2_small.safetensors: it is cut off"),
        (f"{MUSICCOCA}/text_encoder.tflite", "resources/musiccoca/text_encoder.tflite: it is cut off or damaged"),
    ):
        broken = tmp_path / name.replace("/", "-")
        shutil.copytree(tree, broken)
        (broken / name).write_bytes((tree / name).read_bytes()[:-500])
        bench.hub.share(f"org/{broken.name}", broken)
        with pytest.raises(ModelFileError, match=words):
            bench.pull(f"org/{broken.name}")
    assert bench.left() == set()


def test_the_catalog_says_what_the_folder_says() -> None:
    entry = find_pullable("google/magenta-realtime-2")
    assert entry is not None
    assert (entry.name, entry.notice, entry.terms.is_free) == (NAME, MODEL_NOTICE, True)
    assert MagentaFamily.quantizations == ("int8", "int8-32", "none")


def nan(weights: Arrays) -> None:
    weights["params/depthformer/decoder/depth_body/final_ln/scale"][3] = np.nan


def silent(weights: Arrays) -> None:
    for part in ("kernel", "bias"):
        weights[f"{LAST_CONVOLUTION}/{part}"] *= 0


def loud(weights: Arrays) -> None:
    weights[f"{LAST_CONVOLUTION}/kernel"] *= 3000


def noisy(weights: Arrays) -> None:
    weights |= tiny_weights()


@pytest.mark.parametrize(("change", "words"), [
    (nan, r"mrt2_small\.safetensors: params/.*/final_ln/scale contains NaN"),
    (silent, "the model generates silence: an RMS of 0"), (loud, "the model generates clipped sound"),
    (noisy, "the model generates noise: a spectral flatness of"),
])  # fmt: skip
def test_a_model_that_makes_no_music_is_not_installed(
    bench: PullBench, tmp_path: Path, change: Callable[[Arrays], None], words: str
) -> None:
    bench.hub.share("org/odd", write_magenta_tree(tmp_path / "odd", change=change))
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    with pytest.raises(ModelFileError, match=words):
        bench.pull("org/odd", quantization="none")
    assert bench.left() == set()


def test_a_pulled_model_plays_from_the_command_line_and_checks_itself(
    bench: PullBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(bench.tools.store.folder))
    monkeypatch.chdir(tmp_path)
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    model = bench.pull(NAME)
    command = ("generate", "lofi hip hop with rain sounds", "--model", NAME, "--duration", "2", "--seed", "3")
    assert run((*command, "-o", "x.wav")) == 0
    sound = read_audio(tmp_path / "x.wav")
    assert (sound.duration, sound.sample_rate, sound.samples.shape[0]) == (2.0, 48_000, 2)
    check_sound(sound, NAME)
    assert sound.metadata["licence"] == "cc-by-4.0"
    assert sound.metadata["made_with"] == "Magenta RealTime 2 (Google)"
    assert sound.metadata["model_digest"] == model.manifest.digest
    for name in (NAME, HUB_ID):
        assert resolve(name, allow_fallback=False).generated_by == NAME
    capsys.readouterr()
    assert run(("check", NAME)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "files: unchanged since installation"
    assert "within 5 times bfloat16's own" in lines[1]
    assert lines[2] == "layers: 26 blockwise8"
    assert lines[3] == "trial: it generates music"
