"""A Stable Audio checkpoint of real size with random weights, as published; speed does not depend on their values."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.checkpoint.tensor_shapes import Shapes
from tunesmith.stable_audio.architecture import T5GemmaShape
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    AUTOENCODER,
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
    t5gemma_shapes,
)
from tunesmith.stable_audio.checkpoint.model_config import read_model_config
from tunesmith.stable_audio.checkpoint.stability import PREFIXES

DONE = "complete.json"
TEXT_FOLDER = "t5gemma-b-b-ul2"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.'-"


def write_checkpoint(folder: Path) -> Path:
    """Write Stable Audio 3 small (3.4 GB) unless it is there already; return the folder."""
    if (folder / DONE).exists():
        return folder
    text = folder / TEXT_FOLDER
    text.mkdir(parents=True, exist_ok=True)
    (folder / "model_config.json").write_text(json.dumps(_config()), encoding="utf-8")
    sizes = read_model_config(folder)
    shapes = diffusion_shapes(sizes.diffusion) | conditioner_shapes(sizes.diffusion, sizes.numbers)
    shapes |= autoencoder_shapes(sizes.autoencoder)
    write_random_safetensors(folder / "model.safetensors", dict(_published(shapes)), "F32")
    encoder = T5GemmaShape(768, 12, 12, 64, 2048, 256_000)
    named = {f"model.encoder.{name.partition('.')[2]}": shape for name, shape in t5gemma_shapes(encoder).items()}
    write_random_safetensors(text / "model.safetensors", named, "BF16")
    (text / "config.json").write_text(json.dumps({"model_type": "t5gemma", "encoder": _encoder()}), encoding="utf-8")
    write_tokenizer(text / "tokenizer.json")
    (text / "tokenizer_config.json").write_text(json.dumps({"add_bos_token": False}), encoding="utf-8")
    (folder / DONE).write_text("{}", encoding="utf-8")
    return folder


def write_random_safetensors(path: Path, shapes: Mapping[str, tuple[int, ...]], kind: str) -> None:
    """Write a file of random tensors, one at a time; ``kind`` is F32 or BF16."""
    size, header, offset = {"F32": 4, "BF16": 2}[kind], {}, 0
    for name, shape in shapes.items():
        end = offset + prod(shape) * size
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    random = np.random.Generator(np.random.PCG64(0))
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for name, shape in shapes.items():
            numbers = scaled(name, random.standard_normal(shape, dtype=np.float32))
            file.write(numbers.tobytes() if kind == "F32" else (numbers.view(np.uint32) >> 16).astype("<u2").tobytes())


def scaled(name: str, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return normally distributed numbers in the size that suits the place of the tensor of this name."""
    if name.endswith(("gamma", "weight_g", "running_std", "alpha")):
        return np.float32(1) + np.float32(0.05) * numbers
    # Each output is a sum over its inputs, so its weights shrink with their number.
    return numbers * np.float32(0.02 if numbers.ndim < 2 else prod(numbers.shape[1:]) ** -0.5)


def _published(shapes: Shapes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names and shapes of the tensors in the file: with weight norm apart, convolutions with their kernel."""
    for name, shape in shapes.items():
        prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
        own = PREFIXES[prefix] + name.removeprefix(prefix)
        if prefix == AUTOENCODER and own.endswith("mapping.weight"):
            yield f"{own}_v", shape
            yield f"{own}_g", (shape[0], 1, 1)
        elif own.endswith(("preprocess_conv.weight", "postprocess_conv.weight")):
            yield own, (*shape, 1)
        else:
            yield own, shape


def _config() -> dict[str, Any]:
    """Return the configuration of Stable Audio 3 small."""
    same = {
        "channels": 128, "c_mults": [6], "strides": [16], "latent_dim": 256, "transformer_depths": [6],
        "differential": True, "dyt": True, "dim_heads": 64, "variable_stride": True, "chunk_size": 32,
        "chunk_midpoint_shift": True, "mask_noise": 0.01,
    }  # fmt: skip
    number = {"min_val": 0, "max_val": 384, "fourier_features_type": "expo"}
    t5gemma = {"max_length": 256, "padding_mode": "learned", "subfolder": TEXT_FOLDER}
    transformer = {
        "io_channels": 256, "embed_dim": 1024, "depth": 20, "num_heads": 16, "cond_token_dim": 768,
        "global_cond_dim": 768, "local_add_cond_dim": 257, "transformer_type": "continuous_transformer",
        "global_cond_type": "adaLN", "timestep_features_type": "expo", "timestep_features_logsnr": False,
        "attn_kwargs": {"qk_norm": "rms", "differential": False}, "norm_type": "rms_norm",
        "norm_kwargs": {"force_fp32": True}, "ff_kwargs": {"mult": 4.0}, "num_memory_tokens": 64,
    }  # fmt: skip
    autoencoder = {
        "encoder": {"type": "same", "config": {**same, "in_channels": 512, "conv_mapping": False}},
        "decoder": {"type": "same", "config": {**same, "out_channels": 512, "conv_mapping": True}},
        "bottleneck": {"type": "softnorm", "config": {"dim": 256, "noise_augment_dim": 0}},
        "pretransform": {"type": "patched", "config": {"patch_size": 256, "channels": 2}},
        "latent_dim": 256, "downsampling_ratio": 4096, "io_channels": 2,
    }  # fmt: skip
    return {
        "model_type": "diffusion_cond_inpaint", "sample_size": 5_292_032, "sample_rate": 44_100, "audio_channels": 2,
        "model": {
            "pretransform": {"type": "autoencoder", "config": autoencoder},
            "conditioning": {
                "cond_dim": 768,
                "configs": [
                    {"id": "prompt", "type": "t5gemma", "config": t5gemma},
                    {"id": "seconds_total", "type": "number", "config": number},
                ],
            },
            "diffusion": {
                "type": "dit", "diffusion_objective": "rf_denoiser",
                "cross_attention_cond_ids": ["prompt", "seconds_total"], "global_cond_ids": ["seconds_total"],
                "local_add_cond_ids": ["inpaint_mask", "inpaint_masked_input"],
                "sampling_distribution_shift_options": None, "config": transformer,
            },
            "io_channels": 256,
        },
    }  # fmt: skip


def _encoder() -> dict[str, Any]:
    return {
        "model_type": "t5_gemma_module", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "num_key_value_heads": 12, "head_dim": 64, "intermediate_size": 2048, "vocab_size": 256_000,
        "attn_logit_softcapping": 50.0, "query_pre_attn_scalar": 64, "rms_norm_eps": 1e-6, "sliding_window": 4096,
        "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False,
        "rope_parameters": {"rope_theta": 10_000.0, "rope_type": "default"},
    }  # fmt: skip


def write_tokenizer(path: Path, end: str = "<eos>") -> None:
    """Write a tokenizer of letters; a prompt makes as many tokens as it has characters."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = ["<pad>", end, "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *LETTERS]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.save(str(path))
