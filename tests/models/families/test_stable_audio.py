"""Stable Audio pulled from a hub on loopback: from the repository that needs no account, and from the gated one."""

from __future__ import annotations

import dataclasses
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_server import HubServer, hub_server
from safetensors.numpy import load_file, save_file
from stable_audio_files import Tensors, third_config, third_tensors, write_optimized, write_stability

from tunesmith.errors import DownloadError, InvalidRequest, ModelFileError, OutOfResources
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.models.families.stable_audio import StableAudioFamily
from tunesmith.models.families.trial_sound import check_sound
from tunesmith.models.hub import Hub
from tunesmith.models.licence_acceptance import FILE
from tunesmith.models.manifest import FileDigest, Manifest, Sizes, Source
from tunesmith.models.pull import PullPlan, PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.registry import Registry
from tunesmith.models.resolution import resolve
from tunesmith.models.store import InstalledModel, Store
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
from tunesmith.stable_audio.networks import StableAudioNetworks

OPTIMIZED, GATED = "stabilityai/stable-audio-3-optimized", "stabilityai/stable-audio-3-small-music"
NAME = "stable-audio-3-small-music"
PUBLISHED = StableAudioArchitecture(
    DiffusionShape(1024, 20, 16, 256, 768, 768, num_memory_tokens=64, local_width=257, qk_norm="rms"),
    SameShape(768, 6, 64, 2304, 256), T5GemmaShape(768, 12, 12, 64, 2048, 256_000),
    (NumberCondition("seconds_total", 0, 384, exponential=True),), "rf_denoiser", max_tokens=256, max_latents=1292,
)  # fmt: skip


def only_decode(folder: Path, _: Manifest) -> None:
    """Open a model and decode silence, in place of a whole trial."""
    networks = StableAudioNetworks(folder)
    assert np.isfinite(networks.decode(np.zeros((4, 8), np.float32))).all()


@dataclass
class Bench:
    """A hub, a store, and what a pull announced."""

    hub: HubServer
    tools: PullTools
    offers: list[PullPlan]

    def pull(self, source: str, **options: Any) -> InstalledModel:
        request = PullRequest(source, **{"accept_licence": True, **options})
        return pull(request, self.tools, self.offers.append, lambda _: None)

    def left(self) -> set[str]:
        """Return the names of all files below the store but the locks and the accepted licences."""
        files = (path for path in self.tools.store.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return {path.name for path in files} - {FILE}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with hub_server() as hub:
        tools = PullTools(Store(tmp_path / "data"), Hub(hub.url, tmp_path / "cache"), try_out=only_decode)
        yield Bench(hub, tools, [])


def weights_of(model: InstalledModel) -> dict[str, str]:
    return {file.name: file.sha256 for file in model.manifest.files if file.name.endswith(".data")}


def test_both_repositories_and_a_folder_become_the_same_model(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_the_licences_are_accepted_before_anything_is_downloaded(bench: Bench, tmp_path: Path) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"), licence="other")
    words = "Stability AI Community License, .*; Gemma Terms of Use, .*tunesmith pull --accept-licence"
    with pytest.raises(InvalidRequest, match=words):
        bench.pull(NAME, accept_licence=False)
    assert not bench.hub.downloads(".npz")
    manifest = bench.pull(NAME).manifest
    assert manifest.licence == "stability-ai-community; gemma"
    assert manifest.terms.revenue_limit_usd == 1_000_000


def test_a_repository_of_several_models_is_pulled_by_the_name_of_one(bench: Bench, tmp_path: Path) -> None:
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
def test_models_that_are_not_run_here_are_refused_by_name_with_what_to_use(bench: Bench, source: str) -> None:
    with pytest.raises(InvalidRequest, match=f"source: {source} is .*: use stable-audio-3-small-music or"):
        bench.pull(source)
    assert bench.hub.requests == []


def test_a_form_of_another_family_is_refused_before_the_download(bench: Bench, tmp_path: Path) -> None:
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"))
    with pytest.raises(InvalidRequest, match=r"quantize: must be one of int8, int8-mixed, int8-32, none, got 'int4'"):
        bench.pull(NAME, quantization="int4")
    assert not bench.hub.downloads(".npz")
    assert StableAudioFamily.quantizations == tuple(QUANTIZATIONS)


class Program:
    """What a pickle that runs a program is made of."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("ran",)


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write an archive anew with its entries changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def replaced(name: str, array: np.ndarray[Any, Any] | bytes) -> Callable[[dict[str, bytes]], object]:
    content = array if isinstance(array, bytes) else array_bytes(array)
    return lambda entries: entries.update({f"{name}.npy": content})


HUGE = array_bytes(np.zeros((1, 1), np.float16)).replace(b"(1, 1)", b"(1000000, 1000000)")
OBJECTS = array_bytes(np.array([Program()], object))
PROJECT_IN, MEMORY = "transformer.project_in.weight", "transformer.memory_tokens"
DIFFUSION = "dit_sm-music_f16.npz"

ARCHIVES: dict[str, tuple[str, Callable[[dict[str, bytes]], object], str]] = {
    "a pickle": (DIFFUSION, replaced(PROJECT_IN, OBJECTS), r"dit_sm.*npz: .*Python objects, which are a pickle"),
    "a pickle beside the arrays": (DIFFUSION, lambda entries: entries.update({"x.pkl": pickle.dumps(1)}), r"'x\.pkl'"),
    "whole numbers": (DIFFUSION, replaced(MEMORY, np.ones((3, 72), np.int32)), f"{MEMORY} holds int32; only float16"),
    "complex numbers": (DIFFUSION, replaced(MEMORY, np.ones((3, 72), complex)), r"numbers of type <c16 are not read"),
    "a bomb": (DIFFUSION, replaced(PROJECT_IN, HUGE + bytes(10**7)), r"it has 10000\d+ bytes where shape \(1000000, "),
    "another shape": (DIFFUSION, replaced("preprocess_conv.weight", np.ones((8, 2, 8), np.float16)),
                      r"preprocess_conv\.weight has shape \(8, 2, 8\); .* asks for \(8, 1, 8\)"),
    "a missing array": (DIFFUSION, lambda entries: entries.pop("to_cond_embed.2.weight.npy"),
                        r"to_cond_embed\.2\.weight of shape \(72, 72\) is missing"),
    "a missing layer": (DIFFUSION, lambda entries: entries.pop("transformer.layers.1.ff_norm.weight.npy"),
                        r"transformer\.layers\.1\.ff_norm\.weight of shape \(72,\) is missing"),
    "numbers that are none": (DIFFUSION, replaced(MEMORY, np.full((3, 72), np.nan, np.float16)),
                              r"memory_tokens has numbers that are NaN"),
    "a text that is none": ("t5gemma_f16.npz", replaced("META", np.frombuffer(b"{", np.uint8)), "META: it is not JSON"),
    "a broken tokenizer": ("t5gemma_f16.npz", replaced("TOKENIZER_MODEL", np.full(99, 255, np.uint8)),
                           "TOKENIZER_MODEL: its SentencePiece model is broken"),
    "a decoder of another width": (
        "same_s_decoder_f32.npz", replaced("project_in.weight", np.ones((32, 9), np.float32)), "9 channels; .* has 8",
    ),
    "a long header": (DIFFUSION, replaced(PROJECT_IN, b"\x93NUMPY\x02\x00\xff\xff\xff\x00" + b" " * 10**6),
                      "its header of 16777215 bytes is longer"),
    "no array": (DIFFUSION, replaced(PROJECT_IN, b"nothing"), "is not an array of NumPy"),
}  # fmt: skip


@pytest.mark.parametrize("how", ARCHIVES)
def test_a_tampered_archive_is_one_clear_line_and_leaves_nothing(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    file, change, words = ARCHIVES[how]
    folder = write_optimized(tmp_path / "free")
    rewrite(folder / "MLX" / file, change)
    bench.hub.share(OPTIMIZED, folder)
    for source in (NAME, str(folder)):
        with pytest.raises(ModelFileError, match=words) as raised:
            bench.pull(source, name=NAME)
        assert "\n" not in str(raised.value)
    assert bench.left() == set()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("size", [0, 10, 1000, -100])
def test_a_truncated_archive_is_named(bench: Bench, tmp_path: Path, size: int) -> None:
    folder = write_optimized(tmp_path / "free")
    path = folder / "MLX" / "same_s_decoder_f32.npz"
    path.write_bytes(path.read_bytes()[:size])
    bench.hub.share(OPTIMIZED, folder)
    with pytest.raises(ModelFileError, match=r"same_s_decoder_f32\.npz"):
        bench.pull(NAME)
    assert bench.left() == set()


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    config = third_config()
    place: Any = config
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return config


DIFFUSION_CONFIG = ("model", "diffusion", "config")
SAME_CONFIG = ("model", "pretransform", "config")
CONFIGS: dict[str, tuple[tuple[str | int, ...], object, str]] = {
    "medium": ((*DIFFUSION_CONFIG, "attn_kwargs", "differential"), True,
               r"model\.diffusion\.config\.attn_kwargs\.differential: true is Stable Audio 3 medium.*: use "),
    "SAME-L": ((*SAME_CONFIG, "decoder", "config", "sliding_window"), [1, 1], r"sliding_window: it is that of SAME-L"),
    "the conditions' order": (("model", "diffusion", "cross_attention_cond_ids"), ["seconds_total", "prompt"],
                              "cross_attention_cond_ids: "),
    "the time": ((*DIFFUSION_CONFIG, "timestep_features_logsnr"), True, "timestep_features_logsnr: it is True"),
    "the chunks": ((*SAME_CONFIG, "encoder", "config", "chunk_size"), 64, r"chunk_size: it is 64; only 32"),
    "the widths": ((*DIFFUSION_CONFIG, "global_cond_dim"), 64, r"global_cond_dim: it is 64; only 32"),
    "the depth": ((*DIFFUSION_CONFIG, "depth"), 10**9, "depth: it is 1000000000, not 1 to 1000"),
    "the latents": ((*SAME_CONFIG, "downsampling_ratio"), 4096, "downsampling_ratio: it is 4096; only 128"),
    "a shift": (("model", "diffusion", "sampling_distribution_shift_options"), {"type": "flux"}, "shift_options"),
    "a way out": (("model", "conditioning", "configs", 0, "config", "subfolder"), "../..", "subfolder: '../..' is not"),
    "nothing": (("model",), {}, "conditioning: it is missing"),
}  # fmt: skip


@pytest.mark.parametrize("how", CONFIGS)
def test_a_configuration_that_differs_is_refused_by_its_key_before_the_weights_are_fetched(
    bench: Bench, tmp_path: Path, how: str
) -> None:
    path, value, words = CONFIGS[how]
    bench.hub.share("org/other", write_stability(tmp_path / "other", config=changed(path, value)))
    for source in ("org/other", str(tmp_path / "other")):
        with pytest.raises(ModelFileError, match=words):
            bench.pull(source)
    assert not bench.hub.downloads(".safetensors")
    assert bench.left() == set()


def test_wrong_and_missing_tensors_are_named_with_their_shapes(bench: Bench, tmp_path: Path) -> None:
    folder = write_stability(tmp_path / "broken")
    tensors = load_file(folder / "model.safetensors")
    name = "model.model.transformer.layers.1.ff.ff.2.weight"
    for broken, words in (
        (
            {**tensors, name: np.ones((72, 71), np.float32)},
            r"layers\.1\.ff\.ff\.2\.weight has shape \(72, 71\); .* \(72, 72\)",
        ),
        (
            {other: array for other, array in tensors.items() if other != name},
            r"2\.weight of shape \(72, 72\) is missing",
        ),
        (
            {**tensors, name.replace("1", "2", 1): tensors[name]},
            r"layers\.2\.ff\.ff\.2\.weight .* has no place in the model",
        ),
    ):
        save_file(broken, folder / "model.safetensors")
        with pytest.raises(ModelFileError, match=words):
            bench.pull(str(folder))
    assert bench.left() == set()


def test_sizes_are_announced_before_the_download(bench: Bench, tmp_path: Path) -> None:
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
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    bench.hub.share(OPTIMIZED, write_optimized(tmp_path / "free"))
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    model = bench.pull(NAME)
    request = GenerationRequest.checked(prompt="calm piano", model=NAME, seed=3, duration=2)
    for name in (NAME, GATED, OPTIMIZED):
        assert resolve(name, stand_ins=False).generated_by == NAME
    audio = Registry.discover().create(NAME).generate(request, no_progress, never_cancelled)
    assert (audio.duration, audio.sample_rate, audio.samples.shape[0]) == (2.0, 44_100, 2)
    assert audio.metadata["model_digest"] == model.manifest.digest
    check_sound(audio, NAME)


def silenced(tensors: Tensors) -> None:
    for name in ("weight_g", "bias"):
        tensors[f"pretransform.model.decoder.layers.3.mapping.{name}"] *= 0


def loud(tensors: Tensors) -> None:
    tensors["pretransform.model.decoder.layers.3.mapping.bias"] *= 1000


@pytest.mark.parametrize(("change", "words"), [(silenced, "the model makes silence"), (loud, "makes clipped sound")])
def test_a_model_that_makes_no_music_is_not_installed(
    bench: Bench, tmp_path: Path, change: Callable[[Tensors], None], words: str
) -> None:
    tensors = third_tensors()
    change(tensors)
    bench.tools = dataclasses.replace(bench.tools, try_out=try_out)
    with pytest.raises(ModelFileError, match=words):
        bench.pull(str(write_stability(tmp_path / "broken", tensors)))
    assert bench.left() == set()


def test_memory_is_checked_before_the_model_is_opened(bench: Bench, tmp_path: Path) -> None:
    bench.tools = dataclasses.replace(bench.tools, try_out=partial(try_out, available=lambda: 100_000_000))
    with pytest.raises(OutOfResources, match=r"not enough memory for mine: it needs about 1.. MB, and 100 MB is"):
        bench.pull(str(write_stability(tmp_path / "mine")))
    assert bench.left() == set()


def test_memory_of_the_published_model_is_what_was_measured(tmp_path: Path) -> None:
    write_architecture(tmp_path, PUBLISHED)
    files = (
        FileDigest("transformer.onnx.data", 432_000_000, ""),
        FileDigest("text_encoder.onnx.data", 300_000_000, ""),
    )
    manifest = Manifest(
        "mine", Source("org/x"), "mit", "int8", 1, Sizes("stable-audio", 1024, 20, 16, None, 2, 44_100, False),
        files, "0.1.0", "2030-01-02T03:04:05+00:00",
    )  # fmt: skip
    assert 0.75e9 < StableAudioFamily().memory_needed(tmp_path, manifest) < 0.9e9
