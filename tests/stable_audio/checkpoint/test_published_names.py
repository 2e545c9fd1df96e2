"""The names and shapes of the published models, and the reference's tiny checkpoints, opened in every layout."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lazy_modules import LazyModule
from reference_vectors import VECTORS
from safetensors.numpy import load_file, save_file

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensor_shapes import Shapes
from tunesmith.stable_audio.architecture import DiffusionShape, NumberCondition, OobleckShape, SameShape
from tunesmith.stable_audio.checkpoint import diffusers, stability
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
)
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint, needed_companions, open_checkpoint
from tunesmith.stable_audio.checkpoint.placement import FindPlace

if TYPE_CHECKING:
    import torch
else:
    torch = LazyModule("torch")

T5 = "google-t5/t5-base"
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="the reference's checkpoints are not here")

THIRD = DiffusionShape(1024, 20, 16, 256, 768, 768, num_memory_tokens=64, local_width=257, qk_norm="rms")
OPEN_SMALL = DiffusionShape(1024, 16, 8, 64, 768, 768, qk_norm="ln")
OPEN_ONE = DiffusionShape(1536, 24, 24, 64, 768, 1536, project_condition=False)
SAME = SameShape(768, 6, 64, 2304, 256)
OOBLECK = OobleckShape(128, (1, 2, 4, 8, 16), (2, 4, 4, 8, 8), 64)


def numbers(*names: str, exponential: bool = False) -> tuple[NumberCondition, ...]:
    return tuple(NumberCondition(name, 0, 384, exponential) for name in names)


def listing(name: str) -> Shapes:
    """Return the names and shapes of a listing, with weight norm folded."""
    lines = (VECTORS / name).read_text(encoding="utf-8").splitlines()
    split = [line.split(" ", 1) for line in lines if not line.startswith("#")]
    shapes = {name: tuple(map(int, re.findall(r"\d+", shape))) for name, shape in split}
    return {name.replace("weight_v", "weight"): shape for name, shape in shapes.items() if "weight_g" not in name}


def places(shapes: Shapes, find: FindPlace, prefix: str = "") -> Shapes:
    """Return the names and shapes in a layout's files."""
    found: Shapes = {}
    for name, shape in shapes.items():
        place = find(name, shape)
        own = place.forms[0].shape if place.forms else shape
        found |= {prefix + part: (own[0] // len(place.names), *own[1:]) for part in place.names}
    return found


@pytest.mark.parametrize(("file", "diffusion", "autoencoder", "conditions"), [
    ("names_sa3.txt", THIRD, SAME, numbers("seconds_total", exponential=True)),
    ("names_sao_small.txt", OPEN_SMALL, OOBLECK, numbers("seconds_total")),
    ("names_sao_one.txt", OPEN_ONE, OOBLECK, numbers("seconds_start", "seconds_total")),
])  # fmt: skip
def test_every_tensor_of_the_published_models_has_its_place(
    file: str, diffusion: DiffusionShape, autoencoder: SameShape | OobleckShape,
    conditions: tuple[NumberCondition, ...],
) -> None:  # fmt: skip
    shapes = diffusion_shapes(diffusion) | conditioner_shapes(diffusion, conditions) | autoencoder_shapes(autoencoder)
    published = listing(file)
    left_out = {name for name in published if name.endswith(("inv_freq", "noise_scaling_factor"))}
    assert places(shapes, stability.find_place) == {name: published[name] for name in published.keys() - left_out}


def test_every_tensor_of_diffusers_folders_has_its_place() -> None:
    conditions = conditioner_shapes(OPEN_ONE, numbers("seconds_start", "seconds_total"))
    found = (
        places(diffusion_shapes(OPEN_ONE), diffusers.find_diffusion, "transformer/")
        | places(conditions, diffusers.find_conditioner, "projection_model/")
        | places(autoencoder_shapes(OOBLECK), partial(diffusers.find_autoencoder, 5), "vae/")
    )
    assert found == listing("names_sao_1_0_diffusers.txt")


def opened(folder: Path) -> StableAudioCheckpoint:
    return open_checkpoint(folder, {T5: VECTORS / "t5-base"})


def assert_same(one: StableAudioCheckpoint, other: StableAudioCheckpoint) -> None:
    assert set(one.weights) == set(other.weights)
    for name in one.weights:
        np.testing.assert_array_equal(one.weights[name], other.weights[name], err_msg=name)


@pytest.mark.parametrize(("name", "companions"), [("sa3_small", ()), ("sao_small", (T5,)), ("sao_1_0", (T5,))])
def test_the_reference_s_checkpoints_are_opened(name: str, companions: tuple[str, ...]) -> None:
    folder = VECTORS / name / "checkpoint"
    assert needed_companions(folder) == companions
    checkpoint = opened(folder)
    assert all(np.isfinite(checkpoint.weights[one]).all() for one in checkpoint.weights)
    assert checkpoint.architecture.objective == ("v" if name == "sao_1_0" else "rf_denoiser")


def test_without_its_companion_a_model_names_it() -> None:
    with pytest.raises(ModelFileError, match=f"needs the repository {T5}"):
        open_checkpoint(VECTORS / "sao_small" / "checkpoint")


def test_weights_in_a_pickle_are_the_same(tmp_path: Path) -> None:
    folder = VECTORS / "sao_small" / "checkpoint"
    tensors = {name: torch.from_numpy(array) for name, array in load_file(folder / "model.safetensors").items()}
    (tmp_path / "model_config.json").write_bytes((folder / "model_config.json").read_bytes())
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "model.ckpt")
    assert_same(opened(tmp_path), opened(folder))


def test_a_pickle_that_runs_a_program_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Program:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("ran",)

    folder = VECTORS / "sao_small" / "checkpoint"
    (tmp_path / "model_config.json").write_bytes((folder / "model_config.json").read_bytes())
    with zipfile.ZipFile(tmp_path / "model.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"state_dict": Program()}, protocol=2))
    with pytest.raises(ModelFileError, match=r"model\.ckpt"):
        opened(tmp_path)
    assert capsys.readouterr().out == ""


@pytest.fixture
def diffusers_folder(tmp_path: Path) -> Path:
    """Stable Audio Open 1.0's tiny checkpoint, written by hand in diffusers' layout."""
    tensors = load_file(VECTORS / "sao_1_0" / "checkpoint" / "model.safetensors")
    parts: dict[str, dict[str, Any]] = {"transformer": {}, "vae": {}, "projection_model": {}}
    for name, array in tensors.items():
        part, changed = part_of_diffusers(name, array)
        parts[part] |= changed
    configs: dict[str, dict[str, Any]] = {
        "transformer": {
            "num_layers": 2, "attention_head_dim": 36, "num_attention_heads": 2, "num_key_value_attention_heads": 1,
            "in_channels": 4, "out_channels": 4, "cross_attention_dim": 36, "cross_attention_input_dim": 36,
            "global_states_input_dim": 72, "time_proj_dim": 256, "sample_size": 24,
        },
        "vae": {
            "audio_channels": 2, "channel_multiples": [1, 2, 4], "downsampling_ratios": [2, 4, 4],
            "decoder_channels": 4, "encoder_hidden_size": 4, "decoder_input_channels": 4, "sampling_rate": 640,
        },
        "projection_model": {"text_encoder_dim": 36, "conditioning_dim": 36, "min_value": 0, "max_value": 512},
    }  # fmt: skip
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableAudioPipeline"}), encoding="utf-8")
    for part, arrays in parts.items():
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text(json.dumps(configs[part]), encoding="utf-8")
        save_file(arrays, tmp_path / part / "diffusion_pytorch_model.safetensors")
    for folder, files in (("text_encoder", ("config.json", "model.safetensors")), ("tokenizer", ("tokenizer.json",))):
        (tmp_path / folder).mkdir()
        for file in files:
            (tmp_path / folder / file).write_bytes((VECTORS / "t5-base" / file).read_bytes())
    return tmp_path


def part_of_diffusers(name: str, array: np.ndarray[Any, Any]) -> tuple[str, dict[str, np.ndarray[Any, Any]]]:
    """Return the folder of a tensor and what it becomes there."""
    if name.startswith("conditioner."):
        side = "start" if "seconds_start" in name else "end"
        rest = name.partition(".embedder.embedding.")[2]
        return "projection_model", {f"{side}_number_conditioner.time_positional_embedding.{rest}": array}
    if name.startswith("pretransform."):
        return "vae", {vae_name(name.removeprefix("pretransform.model.")): snake(name, array)}
    own = name.removeprefix("model.model.")
    for ours, theirs in (
        ("timestep_features", "time_proj"), ("to_timestep_embed", "timestep_proj"), ("to_global_embed", "global_proj"),
        ("to_cond_embed", "cross_attention_proj"), ("transformer.project_", "proj_"),
        ("transformer.layers", "transformer_blocks"), ("cross_attend_norm", "norm2"), ("pre_norm", "norm1"),
        ("ff_norm", "norm3"), ("gamma", "weight"), ("beta", "bias"), ("self_attn", "attn1"), ("cross_attn", "attn2"),
        ("to_out", "to_out.0"), ("ff.ff", "ff.net"),
    ):  # fmt: skip
        own = own.replace(ours, theirs)
    if "to_qkv" in own or "to_kv" in own:
        letters = "qkv" if "to_qkv" in own else "kv"
        parts = np.split(array, len(letters))
        return "transformer", {
            re.sub("to_q?kv", f"to_{one}", own): part for one, part in zip(letters, parts, strict=True)
        }
    return "transformer", {own: array[:, 0] if own.startswith("time_proj") else array}


def snake(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return array[None, :, None] if name.endswith(("alpha", "beta")) else array


def vae_name(name: str) -> str:
    side, *steps = name.split(".")
    last, steps = steps[-1], [step for step in steps[:-1] if step != "layers"]
    own = {"0": "conv1", "4": "snake1", "5": "conv2"}.get(steps[0], f"block.{int(steps[0]) - 1}")
    encoder = ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1")
    decoder = ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3")
    inner = [(encoder if side == "encoder" else decoder)[int(step)] for step in steps[1:2]]
    unit = [("snake1", "conv1", "snake2", "conv2")[int(step)] for step in steps[2:3]]
    return ".".join([side, own, *inner, *unit, last])


def test_diffusers_folders_hold_the_same_model(diffusers_folder: Path) -> None:
    theirs, ours = open_checkpoint(diffusers_folder), opened(VECTORS / "sao_1_0" / "checkpoint")
    assert_same(theirs, ours)
    assert theirs.architecture.diffusion == ours.architecture.diffusion
    assert theirs.architecture.autoencoder == ours.architecture.autoencoder
    assert theirs.architecture.numbers == ours.architecture.numbers
    assert needed_companions(diffusers_folder) == ()


@pytest.mark.parametrize(("file", "change", "words"), [
    ("model_index.json", {"_class_name": "StableAudio3Pipeline"}, "Stable Audio 3 is not supported in diffusers'"),
    ("model_index.json", {"_class_name": "FluxPipeline"}, "_class_name: must be 'StableAudioPipeline', got 'Flux"),
    ("transformer/config.json", {"num_key_value_attention_heads": 2}, "transformer/config.json: num_key_value"),
    ("vae/config.json", {"audio_channels": 1}, "vae/config.json: audio_channels: must be 2, got 1"),
    ("vae/config.json", {"decoder_channels": 8}, "vae/config.json: encoder_hidden_size: must be 8, got 4"),
    ("projection_model/config.json", {"text_encoder_dim": 9}, "text_encoder_dim: must be 36, got 9"),
    ("text_encoder/config.json", {"d_model": 9}, r"must have shape \(45, 9\), got \(45, 36\)"),
])  # fmt: skip
def test_diffusers_folders_that_differ_are_refused(
    diffusers_folder: Path, file: str, change: dict[str, Any], words: str
) -> None:
    path = diffusers_folder / file
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(ModelFileError, match=words):
        open_checkpoint(diffusers_folder)


def test_a_missing_part_of_diffusers_folders_is_named_with_its_folder(diffusers_folder: Path) -> None:
    (diffusers_folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"vae/diffusion_pytorch_model\.safetensors: it is not in"):
        open_checkpoint(diffusers_folder)
