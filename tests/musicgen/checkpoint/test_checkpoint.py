from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import checkpoints
import numpy as np
import pytest
from checkpoint_truth import true_weights
from lazy_modules import LazyModule

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Checkpoint, needed_companions, open_checkpoint

if TYPE_CHECKING:
    import safetensors.torch as safetensors_torch
    import torch
else:
    safetensors_torch = LazyModule("safetensors.torch")
    torch = LazyModule("torch")


def assert_holds(checkpoint: Checkpoint, model: Any, *, tolerance: float = 0.0) -> None:
    truth = true_weights(model)
    assert set(checkpoint.weights) == set(truth)
    for name, expected in truth.items():
        got = checkpoint.weights[name]
        assert got.dtype == np.float32
        folded = name.startswith("audio_encoder.") and name.endswith("conv.weight")
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=max(tolerance, 1e-6 * folded), err_msg=name)


@pytest.mark.parametrize("weight_norm", ["new", "old"])
@pytest.mark.parametrize("storage", get_args(checkpoints.Storage))
def test_every_storage_gives_the_models_own_tensors(tmp_path: Path, storage: Any, weight_norm: Any) -> None:
    model = checkpoints.write_musicgen(tmp_path, storage=storage, weight_norm=weight_norm)
    assert_holds(open_checkpoint(tmp_path), model)


@pytest.mark.parametrize("kind", ["text", "melody"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_variant_gives_the_models_own_tensors(tmp_path: Path, kind: Any, channels: int) -> None:
    model = checkpoints.write_musicgen(tmp_path, kind=kind, audio_channels=channels)
    assert_holds(open_checkpoint(tmp_path), model)


@pytest.mark.parametrize(("kind", "tolerance"), [("float16", 1e-3), ("bfloat16", 1e-2), ("float64", 1e-6)])
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_other_kinds_of_numbers_become_float32(copied: Path, kind: str, tolerance: float, file: str) -> None:
    tensors = safetensors_torch.load_file(copied / "model.safetensors")
    converted = {name: tensor.to(getattr(torch, kind)) for name, tensor in tensors.items()}
    (copied / "model.safetensors").unlink()
    checkpoints.save_tensors(copied / file, converted)
    got = open_checkpoint(copied).weights
    for name in ("decoder.lm_heads.0.weight", "text_encoder.shared.weight"):
        assert got[name].dtype == np.float32
        np.testing.assert_array_equal(got[name], converted[name].float().numpy())
        np.testing.assert_allclose(got[name], tensors[name].numpy(), rtol=tolerance, atol=tolerance)


def test_the_architecture_is_the_configurations(text_checkpoint: Any, melody_checkpoint: Any) -> None:
    text = open_checkpoint(text_checkpoint.folder).architecture
    assert (text.decoder.hidden_size, text.decoder.num_heads, text.decoder.head_size) == (128, 2, 64)
    assert (text.delays, text.audio_channels, text.chroma, text.special_code) == ((0, 1, 2, 3), 1, None, 64)
    assert (text.codec.ratios, text.codec.hop, text.frame_rate, text.window_frames) == ((8, 5, 4, 4), 640, 50.0, 1500)
    assert (text.codec.pad_mode, text.codec.conv_shortcut, text.codec.causal) == ("reflect", False, False)
    melody = open_checkpoint(melody_checkpoint.folder).architecture
    assert (melody.delays, melody.audio_channels) == ((0, 0, 1, 1, 2, 2, 3, 3), 2)
    assert melody.chroma is not None
    assert (melody.chroma.num_chroma, melody.chroma.num_frames) == (12, 235)
    assert melody.codec.num_codebooks == 4
    assert Architecture.from_json(json.loads(json.dumps(melody.to_json()))) == melody


def test_the_tokenizer_is_the_fast_one(text_checkpoint: Any) -> None:
    assert open_checkpoint(text_checkpoint.folder).tokenizer == text_checkpoint.folder / "tokenizer.json"


def test_embeddings_may_stand_under_either_of_their_names(copied: Path) -> None:
    expected = open_checkpoint(copied).weights["text_encoder.shared.weight"]
    tensors = safetensors_torch.load_file(copied / "model.safetensors")
    tensors["text_encoder.encoder.embed_tokens.weight"] = tensors.pop("text_encoder.shared.weight")
    safetensors_torch.save_file(tensors, copied / "model.safetensors")
    np.testing.assert_array_equal(open_checkpoint(copied).weights["text_encoder.shared.weight"], expected)


def test_a_text_encoder_as_wide_as_the_decoder_has_no_projection_but_the_identity(tmp_path: Path) -> None:
    from transformers import MusicgenConfig, MusicgenForConditionalGeneration

    wide = checkpoints.text_config()
    wide.d_model = 128
    config = MusicgenConfig(
        text_encoder=wide, audio_encoder=checkpoints.codec_config(), decoder=checkpoints.make_musicgen().config.decoder
    )
    model = MusicgenForConditionalGeneration(config)
    assert not hasattr(model, "enc_to_dec_proj")
    model.config.save_pretrained(tmp_path)
    checkpoints.write_tokenizer(tmp_path)
    checkpoints.write_tensors(tmp_path, dict(model.state_dict()), "bin")
    weights = open_checkpoint(tmp_path).weights
    np.testing.assert_array_equal(weights["enc_to_dec_proj.weight"], np.eye(128))
    np.testing.assert_array_equal(weights["enc_to_dec_proj.bias"], np.zeros(128))


def test_a_folder_of_both_layouts_is_read_in_hugging_faces(copied: Path, text_checkpoint: Any) -> None:
    checkpoints.write_audiocraft(copied, text_checkpoint.model)
    assert needed_companions(copied) == ()
    assert_holds(open_checkpoint(copied), text_checkpoint.model)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("model_type", "llama", "model_type: must be 'musicgen' or 'musicgen_melody', got 'llama'"),
        ("model_type", None, "model_type"),
        ("text_encoder", {"model_type": "bert"}, "text_encoder.model_type"),
        ("audio_encoder", {"model_type": "dac"}, "audio_encoder.model_type"),
        ("decoder", "small", "decoder: must be dict, got 'small'"),
        ("decoder.hidden_size", 129, "decoder.num_attention_heads"),
        ("decoder.hidden_size", -1, "decoder.hidden_size"),
        ("decoder.num_hidden_layers", 10**9, "decoder.num_hidden_layers"),
        ("decoder.activation_function", "relu", "decoder.activation_function"),
        ("decoder.audio_channels", 3, "decoder.audio_channels"),
        ("decoder.num_codebooks", 8, "audio_encoder.target_bandwidths"),
        ("decoder.vocab_size", 2048, "decoder.vocab_size"),
        ("audio_encoder.norm_type", "time_group_norm", "audio_encoder.norm_type"),
        ("audio_encoder.upsampling_ratios", [8, 0], "audio_encoder.upsampling_ratios"),
        ("audio_encoder.target_bandwidths", [float("nan")], "audio_encoder.target_bandwidths"),
        ("audio_encoder.pad_mode", "circular", "audio_encoder.pad_mode"),
        ("text_encoder.feed_forward_proj", "swish", "text_encoder.feed_forward_proj"),
        ("text_encoder.d_model", "wide", "text_encoder.d_model"),
    ],
)
def test_foreign_and_impossible_configurations_are_refused_by_field(
    copied: Path, field: str, value: Any, named: str
) -> None:
    config = json.loads((copied / "config.json").read_text())
    *path, last = field.split(".")
    section = config
    for step in path:
        section = section[step]
    section[last] = value
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match=rf"config\.json: {named}"):
        open_checkpoint(copied)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    config["decoder"]["ffn_dim"] = 256
    (copied / "config.json").write_text(json.dumps(config))
    expected = r"model\.safetensors: .*layers\.0\.fc1\.weight must have shape \(256, 128\), got \(512, 128\)"
    with pytest.raises(ModelFileError, match=expected):
        open_checkpoint(copied)


@pytest.mark.parametrize("name", ["decoder.lm_heads.3.weight", "audio_encoder.decoder.layers.0.conv.bias"])
def test_a_missing_tensor_is_named(copied: Path, name: str) -> None:
    tensors = safetensors_torch.load_file(copied / "model.safetensors")
    del tensors[name]
    safetensors_torch.save_file(tensors, copied / "model.safetensors")
    with pytest.raises(ModelFileError, match=rf"model\.safetensors: {name} of shape .* is missing"):
        open_checkpoint(copied)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("model.safetensors", "model.safetensors: it is not in"),
        ("tokenizer.json", "tokenizer.json: it is not in"),
        ("config.json", "config.json: neither it nor state_dict.bin is in"),
    ],
)
def test_missing_files_are_named(copied: Path, file: str, problem: str) -> None:
    (copied / file).unlink()
    with pytest.raises(ModelFileError, match=problem):
        open_checkpoint(copied)


def test_the_slow_tokenizer_alone_is_not_enough(copied: Path) -> None:
    (copied / "tokenizer.json").rename(copied / "spiece.model")
    with pytest.raises(ModelFileError, match=r"tokenizer\.json: .*spiece\.model is"):
        open_checkpoint(copied)


def test_a_tokenizer_of_another_model_is_refused(copied: Path) -> None:
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] += [[f"piece {i}", -1.0] for i in range(1000)]
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelFileError, match="pieces, but the text encoder has 128"):
        open_checkpoint(copied)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00\xff", "[" * 100_000, "version https://git-lfs.github.com"])
def test_broken_json_is_refused_by_file(copied: Path, file: str, content: str) -> None:
    (copied / file).write_text(content, encoding="latin-1")
    with pytest.raises(ModelFileError, match=file):
        open_checkpoint(copied)


class Hostile:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "state_dict.bin", "compression_state_dict.bin"])
def test_a_hostile_checkpoint_of_either_layout_does_not_run(text_checkpoint: Any, tmp_path: Path, file: str) -> None:
    trace, folder = tmp_path / "trace", tmp_path / "checkpoint"
    if file == "pytorch_model.bin":
        checkpoints.write_musicgen(folder, storage="bin")
    else:
        checkpoints.write_audiocraft(folder, text_checkpoint.model)
    torch.save({**torch.load(folder / file, weights_only=True), "extra": Hostile(trace)}, folder / file)
    with pytest.raises(ModelFileError, match=rf"{file}: it imports .*system.*refused"):
        open_checkpoint(folder, checkpoints.write_companions(tmp_path, text_checkpoint.model))
    assert not trace.exists()


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not a folder"):
        open_checkpoint(tmp_path / "nothing")


def test_a_missing_shard_and_a_shard_elsewhere_are_refused(tmp_path: Path) -> None:
    checkpoints.write_musicgen(tmp_path, storage="sharded-bin")
    index = tmp_path / "pytorch_model.bin.index.json"
    shard = "pytorch_model-00002-of-00002.bin"
    shutil.move(tmp_path / shard, tmp_path / "elsewhere.bin")
    with pytest.raises(ModelFileError, match=f"{shard}: it is not in"):
        open_checkpoint(tmp_path)
    index.write_text(index.read_text().replace(shard, "../elsewhere.bin"))
    with pytest.raises(ModelFileError, match=r"weight_map: must name a file .*'\.\./elsewhere\.bin'"):
        open_checkpoint(tmp_path)
    index.write_text(index.read_text().replace("../elsewhere.bin", "pytorch_model-00001-of-00002.bin"))
    with pytest.raises(ModelFileError, match=r"00001-of-00002\.bin: .* is missing, but"):
        open_checkpoint(tmp_path)
