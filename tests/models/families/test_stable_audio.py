"""Stable Audio pulled from a hub on loopback: from the repository that needs no account, and from the gated one."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from reference_vectors import VECTORS
from stable_audio_files import Tensors, third_tensors, write_optimized, write_stability
from stable_audio_pulls import GATED, NAME, OPTIMIZED, PullBench

from tunesmith.cli import run
from tunesmith.errors import DownloadError, InvalidRequest, ModelFileError, OutOfResources
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.models.families.stable_audio import StableAudioFamily
from tunesmith.models.families.trial_sound import check_sound
from tunesmith.models.manifest import FileDigest, Manifest, Sizes, Source
from tunesmith.models.registry import Registry
from tunesmith.models.resolution import resolve
from tunesmith.models.store import InstalledModel
from tunesmith.models.trial import try_out
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.conversion import QUANTIZATIONS
from tunesmith.stable_audio.model_folder import write_architecture

PUBLISHED = StableAudioArchitecture(
    DiffusionShape(1024, 20, 16, 256, 768, 768, num_memory_tokens=64, local_width=257, qk_norm="rms"),
    SameShape(768, 6, 64, 2304, 256), T5GemmaShape(768, 12, 12, 64, 2048, 256_000),
    (NumberCondition("seconds_total", 0, 384, exponential=True),), "rf_denoiser", max_tokens=256, max_latents=1292,
)  # fmt: skip


def weights_of(model: InstalledModel) -> dict[str, str]:
    return {file.name: file.sha256 for file in model.manifest.files if file.name.endswith(".data")}


def test_both_repositories_and_a_folder_become_the_same_model(
    bench: PullBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free", kinds=("music", "sfx")), licence="other")
    bench.hub.share(GATED, write_stability(tmp_path / "gated"), licence="other", access="gated")
    free = bench.pull(NAME)
    assert (free.name, free.manifest.source.location) == (NAME, OPTIMIZED)
    assert not bench.hub.downloads("dit_sm-sfx_f16.npz")
    assert bench.hub.downloads("dit_sm-music_f16.npz")
    sizes = free.manifest.sizes
    assert (sizes.kind, sizes.hidden_size, sizes.num_codebooks, sizes.latent_channels) == ("stable-audio", 72, None, 8)
    assert str(sizes).startswith("stable-audio: 2 layers of 72, 2 heads, 8 latent channels, 44100 Hz stereo, up to ")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(DownloadError, match="it is gated: accept its terms"):
        bench.pull(GATED, name="gated")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    gated = bench.pull(GATED, name="gated")
    assert gated.manifest.source.location == GATED
    mine = bench.pull(str(tmp_path / "gated"), name="mine")
    assert weights_of(gated) == weights_of(mine)
    # Weight norm, which the archives have folded, rounds differently.
    same = {name for name, digest in weights_of(free).items() if weights_of(mine)[name] == digest}
    assert set(weights_of(mine)) - same == {"autoencoder_decoder.onnx.data", "autoencoder_encoder.onnx.data"}
    assert not (bench.tools.store.folder / "downloads").exists()


def test_the_licences_are_accepted_before_anything_is_downloaded(bench: PullBench, tmp_path: Path) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"), licence="other")
    words = "Stability AI Community License, .*; Gemma Terms of Use, .*tunesmith pull --accept-licence"
    with pytest.raises(InvalidRequest, match=words):
        bench.pull(NAME, accept_licence=False)
    assert not bench.hub.downloads(".npz")
    manifest = bench.pull(NAME).manifest
    assert manifest.licence == "stability-ai-community; gemma"
    assert manifest.terms.revenue_limit_usd == 1_000_000


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the reference's checkpoints are not here")
@pytest.mark.parametrize(("name", "checkpoint"), [
    ("stable-audio-open-small", "sao_small"), ("stable-audio-open-1.0", "sao_1_0"),
])  # fmt: skip
def test_stable_audio_open_brings_its_text_encoder_along(
    bench: PullBench, monkeypatch: pytest.MonkeyPatch, name: str, checkpoint: str
) -> None:
    bench.hub.share(f"stabilityai/{name}", VECTORS / checkpoint / "checkpoint", access="gated")
    bench.hub.share("google-t5/t5-base", VECTORS / "t5-base", licence="apache-2.0")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    model = bench.pull(name)
    (offer,) = bench.offers
    files = [*(VECTORS / checkpoint / "checkpoint").iterdir(), *(VECTORS / "t5-base").iterdir()]
    assert offer.download == sum(path.stat().st_size for path in files if path.name != "generation_config.json")
    assert model.manifest.sizes.latent_channels == 4
    assert "text_encoder.onnx" in {file.name for file in model.manifest.files}
    assert model.manifest.source.location == f"stabilityai/{name}"
    assert not (bench.tools.store.folder / "downloads").exists()


def test_a_repository_of_several_models_is_pulled_by_the_name_of_one(bench: PullBench, tmp_path: Path) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free", kinds=("music", "sfx")))
    with pytest.raises(InvalidRequest, match=f"holds several models: name {NAME} or stable-audio-3-small-sfx"):
        bench.pull(OPTIMIZED)
    assert bench.pull(OPTIMIZED, name="stable-audio-3-small-sfx").name == "stable-audio-3-small-sfx"
    assert not bench.hub.downloads("dit_sm-music_f16.npz")
    bench.hub.share("org/both", tmp_path / "free")
    with pytest.raises(ModelFileError, match=r"holds MLX/dit_sm-music_f16.npz, MLX/dit_sm-sfx_f16.npz, not one model"):
        bench.pull("org/both")


@pytest.mark.parametrize("source", [
    "stabilityai/stable-audio-3-medium", "stable-audio-3-medium", "stabilityai/stable-audio-3-medium-base",
    "stabilityai/SAME-L", "stabilityai/SAME-S",
])  # fmt: skip
def test_models_that_are_not_run_here_are_refused_by_name_with_what_to_use(bench: PullBench, source: str) -> None:
    with pytest.raises(InvalidRequest, match=f"source: {source} is .*: use stable-audio-3-small-music or"):
        bench.pull(source)
    assert bench.hub.requests == []


def test_a_form_of_another_family_is_refused_before_the_download(bench: PullBench, tmp_path: Path) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"))
    listed = "int8, int8-rows, int8-mixed, int8-32, none, float16"
    with pytest.raises(InvalidRequest, match=f"quantize: must be one of {listed}, got 'int4'"):
        bench.pull(NAME, quantization="int4")
    assert not bench.hub.downloads(".npz")
    assert StableAudioFamily.quantizations == tuple(QUANTIZATIONS)


def test_sizes_are_announced_before_the_download(bench: PullBench, tmp_path: Path) -> None:
    folder = write_optimized(tmp_path / "free", kinds=("music", "sfx"))
    bench.hub.share(OPTIMIZED, folder)
    bench.tools = dataclasses.replace(bench.tools, free_bytes=lambda _: 10**12)
    installed = bench.pull(NAME)
    (offer,) = bench.offers
    used = [path for path in (folder / "MLX").iterdir() if "sfx" not in path.name]
    assert offer.download == sum(path.stat().st_size for path in used)
    assert installed.manifest.bytes < 3 * offer.converted
    shutil.rmtree(bench.tools.store.folder)
    assert json.dumps(installed.manifest.to_json())


def test_a_pulled_model_makes_sound_and_says_where_it_is_from(
    bench: PullBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"))
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    model = bench.pull(NAME)
    request = GenerationRequest.checked(prompt="calm piano", model=NAME, seed=3, duration=2)
    for name in (NAME, GATED, OPTIMIZED):
        assert resolve(name, allow_fallback=False).generated_by == NAME
    audio = Registry.discover().create(NAME).generate(request, no_progress, never_cancelled)
    assert (audio.duration, audio.sample_rate, audio.samples.shape[0]) == (2.0, 44_100, 2)
    assert audio.metadata["model_digest"] == model.manifest.digest
    check_sound(audio, NAME)


def test_a_pull_measures_the_model_and_check_measures_it_again(
    bench: PullBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"))
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    measured = bench.pull(NAME).manifest.self_check
    assert measured is not None
    assert 0 < measured.error <= measured.bfloat16_error
    assert Manifest.from_json(json.loads(json.dumps(bench.pull(NAME).manifest.to_json()))).self_check == measured
    assert run(("check", NAME)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "files: unchanged since installation"
    assert lines[1].startswith(f"error {measured.error:.2%}, within bfloat16's own ")
    assert lines[2].startswith("layers: ")
    assert lines[3] == "trial: it generates music"
    unmeasured = bench.pull(NAME, quantization="int8-rows")
    assert unmeasured.manifest.self_check is None
    assert run(("check", NAME)) == 0
    assert "kept no reference" in capsys.readouterr().out


def silenced(tensors: Tensors) -> None:
    for name in ("weight_g", "bias"):
        tensors[f"pretransform.model.decoder.layers.3.mapping.{name}"] *= 0


def loud(tensors: Tensors) -> None:
    tensors["pretransform.model.decoder.layers.3.mapping.bias"] *= 1000


@pytest.mark.parametrize(
    ("change", "words"), [(silenced, "the model generates silence"), (loud, "generates clipped sound")]
)
def test_a_model_that_makes_no_music_is_not_installed(
    bench: PullBench, tmp_path: Path, change: Callable[[Tensors], None], words: str
) -> None:
    tensors = third_tensors()
    change(tensors)
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    with pytest.raises(ModelFileError, match=words):
        bench.pull(str(write_stability(tmp_path / "broken", tensors)))
    assert bench.left() == set()


def test_a_model_for_a_gpu_is_opened_where_there_is_none_and_runs_on_the_cpu_if_told_to(
    bench: PullBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    for kind in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(kind, "is_available", lambda: False)
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    model = bench.pull(str(write_stability(tmp_path / "mine")), quantization="float16")
    assert {file.name for file in model.manifest.files} == {
        "weights.safetensors",
        "tokenizer.json",
        "architecture.json",
    }
    assert StableAudioFamily().memory_needed(model.folder, model.manifest) == 0
    generator = StableAudioFamily().load(model.folder, model.manifest, lambda: 10**9)
    request = GenerationRequest.checked(prompt="calm piano", model="mine", seed=1, duration=1)
    with pytest.raises(InvalidRequest, match="was installed for a GPU, and none was found"):
        generator.generate(request, no_progress, never_cancelled)
    monkeypatch.setenv("TUNESMITH_DEVICE", "cpu")
    assert generator.generate(request, no_progress, never_cancelled).duration == 1


def test_memory_is_checked_before_the_model_is_opened(bench: PullBench, tmp_path: Path) -> None:
    bench.tools = dataclasses.replace(bench.tools, try_out=partial(try_out, available=lambda: 100_000_000))
    with pytest.raises(OutOfResources, match=r"not enough memory for mine: it needs about 1.. MB, and 100 MB is"):
        bench.pull(str(write_stability(tmp_path / "mine")))
    assert bench.left() == set()


def test_memory_of_the_published_model_is_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_THREADS", "2")
    write_architecture(tmp_path, PUBLISHED)
    files = (
        FileDigest("transformer.onnx.data", 432_000_000, ""),
        FileDigest("text_encoder.onnx.data", 300_000_000, ""),
    )
    manifest = Manifest(
        "mine", Source("org/x"), "mit", "int8", 1, Sizes("stable-audio", 1024, 20, 16, None, 2, 44_100, False),
        files, "0.1.0", "2030-01-02T03:04:05+00:00",
    )  # fmt: skip
    one, four, eight = (StableAudioFamily().memory_needed(tmp_path, manifest, callers) for callers in (1, 4, 8))
    assert 0.75e9 < one < 0.9e9
    # A batch takes no more than the longest piece, and the requests that wait for one take little.
    assert 0.4e9 < four - one < 0.6e9
    assert 0.2e9 < eight - four < 0.3e9
