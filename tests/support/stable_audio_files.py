"""Tiny random checkpoints of the Stable Audio family, written to disk in every layout in which they are published.

The names are written out here, not taken from the package, so that a wrong name cannot agree with itself. All numbers
are representable in float16, the type of some layouts, so that every layout holds the same weights. The decoder's bias
is a tone, so that the sound of a random model is no noise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
from protobuf_writer import bytes_field, float_field, number_field
from safetensors.numpy import save_file

Array = npt.NDArray[Any]
Tensors = dict[str, Array]

HIDDEN, HEAD, LATENTS, CONDITION = 72, 36, 8, 32
SAME_HIDDEN, SAME_HEAD, PATCH = 32, 16, 32
LAYERS, MEMORY, HOP = 2, 3, 512
TEXT_HIDDEN, TEXT_FFN = 32, 48
PHRASES = ("te", "pi", "▁p", "mo", "pia", "no", "piano", "▁piano", "ca", "lm", "calm")
LETTERS = "▁abcdefghijklmnopqrstuvwxyz0123456789,"
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")
BLANKS = ("▁▁", "▁▁▁")
PIECES = (*SPECIAL, *BLANKS, *(f"<0x{byte:02X}>" for byte in range(256)), *LETTERS, *PHRASES)


def write_stability(folder: Path, tensors: Tensors | None = None, config: Mapping[str, Any] | None = None) -> Path:
    """Write Stable Audio 3 in the gated repositories' layout; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "model_config.json", config or third_config())
    save_file(tensors or third_tensors(), folder / "model.safetensors")
    text = folder / "t5gemma-b-b-ul2"
    text.mkdir(exist_ok=True)
    _write_json(text / "config.json", {"model_type": "t5gemma", "encoder": text_config(), "decoder": text_config()})
    encoder = {f"model.encoder.{name}": array for name, array in text_tensors().items()}
    save_file(
        {**encoder, "model.decoder.norm.weight": encoder["model.encoder.norm.weight"]}, text / "model.safetensors"
    )
    write_tokenizer(text / "tokenizer.json")
    return folder


def write_optimized(
    folder: Path, *, kinds: tuple[str, ...] = ("music",), compressed: bool = False, channels_last: bool = True
) -> Path:
    """Write Stable Audio 3 in the layout that needs no account; return the folder."""
    place, tensors = folder / "MLX", third_tensors()
    place.mkdir(parents=True)
    save: Callable[..., None] = np.savez_compressed if compressed else np.savez
    for kind in kinds:
        save(place / f"dit_sm-{kind}_f16.npz", **_archived_diffusion(tensors))
    for side in ("decoder", "encoder"):
        save(place / f"same_s_{side}_f32.npz", **_archived_same(tensors, side, channels_last=channels_last))
    meta = json.dumps({**text_config(), "pad_token_id": 0}).encode()
    texts = {"META": meta, "TOKENIZER_MODEL": sentencepiece_model()}
    arrays = {name: np.frombuffer(text, np.uint8) for name, text in texts.items()}
    halves = {name: array.astype(np.float16) for name, array in text_tensors().items()}
    save(place / "t5gemma_f16.npz", **arrays, rope_inv_freq=np.ones(8, np.float32), **halves)
    return folder


def third_config() -> dict[str, Any]:
    """Return the configuration of Stable Audio 3."""
    same = {
        "channels": SAME_HIDDEN // 2, "c_mults": [2], "strides": [HOP // PATCH], "latent_dim": LATENTS,
        "transformer_depths": [LAYERS], "differential": True, "dyt": True, "dim_heads": SAME_HEAD,
        "variable_stride": True, "chunk_size": 2 * HOP // PATCH, "chunk_midpoint_shift": True,
    }  # fmt: skip
    pretransform = {
        "encoder": {"type": "same", "config": {**same, "in_channels": 2 * PATCH, "conv_mapping": False}},
        "decoder": {"type": "same", "config": {**same, "out_channels": 2 * PATCH, "conv_mapping": True}},
        "bottleneck": {"type": "softnorm", "config": {"dim": LATENTS, "noise_augment_dim": 0}},
        "pretransform": {"type": "patched", "config": {"patch_size": PATCH, "channels": 2}},
        "latent_dim": LATENTS, "downsampling_ratio": HOP, "io_channels": 2,
    }  # fmt: skip
    text = {"model_name": "google/t5gemma-b-b-ul2", "subfolder": "t5gemma-b-b-ul2", "max_length": 256}
    seconds = {"min_val": 0, "max_val": 384, "fourier_features_type": "expo"}
    diffusion = {
        "io_channels": LATENTS, "embed_dim": HIDDEN, "depth": LAYERS, "num_heads": HIDDEN // HEAD,
        "cond_token_dim": CONDITION, "global_cond_dim": CONDITION, "local_add_cond_dim": LATENTS + 1,
        "transformer_type": "continuous_transformer", "global_cond_type": "adaLN", "timestep_features_type": "expo",
        "timestep_features_logsnr": False, "attn_kwargs": {"qk_norm": "rms", "differential": False},
        "norm_type": "rms_norm", "norm_kwargs": {"force_fp32": True}, "ff_kwargs": {"mult": 1.0},
        "num_memory_tokens": MEMORY,
    }  # fmt: skip
    return {
        "model_type": "diffusion_cond_inpaint", "sample_size": 1292 * HOP, "sample_rate": 44100, "audio_channels": 2,
        "model": {
            "io_channels": LATENTS,
            "pretransform": {"type": "autoencoder", "chunked": True, "config": pretransform},
            "conditioning": {"cond_dim": CONDITION, "configs": [
                {"id": "prompt", "type": "t5gemma", "config": {**text, "padding_mode": "learned"}},
                {"id": "seconds_total", "type": "number", "config": seconds},
            ]},
            "diffusion": {
                "type": "dit", "diffusion_objective": "rf_denoiser", "config": diffusion,
                "cross_attention_cond_ids": ["prompt", "seconds_total"], "global_cond_ids": ["seconds_total"],
                "local_add_cond_ids": ["inpaint_mask", "inpaint_masked_input"],
                "sampling_distribution_shift_options": None,
            },
        },
    }  # fmt: skip


def third_tensors() -> Tensors:
    """Return the tensors of Stable Audio 3's ``model.safetensors``."""
    tensors = _random(_third_shapes(), 3)
    tensors["model.model.transformer.rotary_pos_emb.inv_freq"] = np.ones(16, np.float32)
    tensors["pretransform.model.bottleneck.noise_scaling_factor"] = np.zeros((1, 0, 1), np.float32)
    tensors["pretransform.model.bottleneck.running_std"] = np.ones(1, np.float32)
    tone = np.sin(2 * np.pi * np.arange(PATCH) / PATCH) / 4
    tensors["pretransform.model.decoder.layers.3.mapping.bias"] = _half(np.tile(tone, 2))
    quiet = tensors["pretransform.model.decoder.layers.3.mapping.weight_g"]
    tensors["pretransform.model.decoder.layers.3.mapping.weight_g"] = _half(quiet / 64)
    return tensors


def text_config() -> dict[str, Any]:
    """Return the configuration of T5Gemma's encoder."""
    return {
        "vocab_size": len(PIECES), "hidden_size": TEXT_HIDDEN, "num_hidden_layers": LAYERS, "head_dim": 16,
        "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": TEXT_FFN, "rope_theta": 10000.0,
        "rms_norm_eps": 1e-6, "query_pre_attn_scalar": 16, "attn_logit_softcapping": 50.0, "sliding_window": 4096,
        "hidden_activation": "gelu_pytorch_tanh", "attention_bias": False,
    }  # fmt: skip


def text_tensors() -> Tensors:
    """Return the tensors of T5Gemma's encoder, without the prefix of its file."""
    shapes: dict[str, tuple[int, ...]] = {
        "embed_tokens.weight": (len(PIECES), TEXT_HIDDEN),
        "norm.weight": (TEXT_HIDDEN,),
    }
    for layer in range(LAYERS):
        for name in "qkvo":
            shapes[f"layers.{layer}.self_attn.{name}_proj.weight"] = (32, TEXT_HIDDEN)
        for name in ("gate", "up"):
            shapes[f"layers.{layer}.mlp.{name}_proj.weight"] = (TEXT_FFN, TEXT_HIDDEN)
        shapes[f"layers.{layer}.mlp.down_proj.weight"] = (TEXT_HIDDEN, TEXT_FFN)
        for side in ("pre", "post"):
            for part in ("self_attn", "feedforward"):
                shapes[f"layers.{layer}.{side}_{part}_layernorm.weight"] = (TEXT_HIDDEN,)
    return _random(shapes, 4)


def write_tokenizer(path: Path) -> None:
    """Write Gemma's kind of tokenizer as ``tokenizer.json``, built by hand."""
    merges = [("t", "e"), ("p", "i"), ("▁", "p"), ("m", "o"), ("pi", "a"), ("n", "o"), ("pia", "no"), ("▁p", "iano")]
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    merges = [pair for pair in (*merges, ("▁", "piano"), ("c", "a"), ("l", "m"), ("ca", "lm")) if pair[1] in vocabulary]
    model = tokenizers.models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.Replace(" ", "▁")
    tokenizer.add_special_tokens([tokenizers.AddedToken(one, normalized=False) for one in SPECIAL])
    tokenizer.add_tokens([tokenizers.AddedToken(one, normalized=True) for one in BLANKS])
    tokenizer.save(str(path))


def sentencepiece_model(pieces: tuple[str, ...] = PIECES, **settings: int) -> bytes:
    """Return the same tokenizer as a SentencePiece model; ``settings`` replace those of the normalizer and training."""
    said = {"model_type": 2, "byte_fallback": 1, "add_dummy_prefix": 0, "remove_extra_whitespaces": 0, **settings}
    listed = b"".join(bytes_field(1, _piece(number, piece)) for number, piece in enumerate(pieces))
    training = number_field(3, said["model_type"]) + number_field(35, said["byte_fallback"])
    normalizer = bytes_field(1, b"identity") + number_field(3, said["add_dummy_prefix"])
    normalizer += number_field(4, said["remove_extra_whitespaces"])
    return listed + bytes_field(2, training) + bytes_field(3, normalizer)


def _piece(number: int, piece: str) -> bytes:
    kind = 1
    if piece in SPECIAL:
        kind = 2 if piece == "<unk>" else 3
    elif piece in BLANKS:
        kind = 4
    elif piece.startswith("<0x"):
        kind = 6
    # Later phrases merge later.
    return bytes_field(1, piece.encode()) + float_field(2, -number) + number_field(3, kind)


def _third_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "preprocess_conv.weight": (LATENTS, LATENTS, 1), "postprocess_conv.weight": (LATENTS, LATENTS, 1),
        "to_cond_embed.0.weight": (HIDDEN, CONDITION), "to_cond_embed.2.weight": (HIDDEN, HIDDEN),
        "to_global_embed.0.weight": (HIDDEN, CONDITION), "to_global_embed.2.weight": (HIDDEN, HIDDEN),
        "to_timestep_embed.0.weight": (HIDDEN, 256), "to_timestep_embed.0.bias": (HIDDEN,),
        "to_timestep_embed.2.weight": (HIDDEN, HIDDEN), "to_timestep_embed.2.bias": (HIDDEN,),
        "transformer.project_in.weight": (HIDDEN, LATENTS), "transformer.project_out.weight": (LATENTS, HIDDEN),
        "transformer.memory_tokens": (MEMORY, HIDDEN), "transformer.global_cond_embedder.0.weight": (HIDDEN, HIDDEN),
        "transformer.global_cond_embedder.0.bias": (HIDDEN,), "transformer.global_cond_embedder.2.bias": (6 * HIDDEN,),
        "transformer.global_cond_embedder.2.weight": (6 * HIDDEN, HIDDEN),
    }  # fmt: skip
    layer: dict[str, tuple[int, ...]] = {
        "pre_norm.gamma": (HIDDEN,), "cross_attend_norm.gamma": (HIDDEN,), "ff_norm.gamma": (HIDDEN,),
        "self_attn.to_qkv.weight": (3 * HIDDEN, HIDDEN), "self_attn.to_out.weight": (HIDDEN, HIDDEN),
        "self_attn.q_norm.gamma": (HEAD,), "self_attn.k_norm.gamma": (HEAD,),
        "cross_attn.to_q.weight": (HIDDEN, HIDDEN), "cross_attn.to_kv.weight": (2 * HIDDEN, HIDDEN),
        "cross_attn.to_out.weight": (HIDDEN, HIDDEN), "cross_attn.q_norm.gamma": (HEAD,),
        "cross_attn.k_norm.gamma": (HEAD,), "to_scale_shift_gate": (6 * HIDDEN,),
        "to_local_embed.0.weight": (HIDDEN, LATENTS + 1), "to_local_embed.0.bias": (HIDDEN,),
        "to_local_embed.2.weight": (HIDDEN, HIDDEN), "to_local_embed.2.bias": (HIDDEN,),
        "ff.ff.0.proj.weight": (2 * HIDDEN, HIDDEN), "ff.ff.0.proj.bias": (2 * HIDDEN,),
        "ff.ff.2.weight": (HIDDEN, HIDDEN), "ff.ff.2.bias": (HIDDEN,),
    }  # fmt: skip
    shapes |= {f"transformer.layers.{k}.{name}": shape for k in range(LAYERS) for name, shape in layer.items()}
    named = {f"model.model.{name}": shape for name, shape in shapes.items()}
    named |= {f"pretransform.model.{name}": shape for name, shape in _same_shapes()}
    stem = "conditioner.conditioners."
    return {
        **named, f"{stem}prompt.padding_embedding": (CONDITION,),
        f"{stem}seconds_total.embedder.embedding.1.weight": (CONDITION, 256),
        f"{stem}seconds_total.embedder.embedding.1.bias": (CONDITION,),
    }  # fmt: skip


def _same_shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    wide, head, samples = SAME_HIDDEN, SAME_HEAD, 2 * PATCH
    for side, outputs, inputs, kernel in (
        ("encoder.layers.0", wide, samples, 1),
        ("decoder.layers.3", samples, wide, 3),
    ):
        yield f"{side}.mapping.weight_v", (outputs, inputs, kernel)
        yield f"{side}.mapping.weight_g", (outputs, 1, 1)
        yield f"{side}.mapping.bias", (outputs,)
        yield f"{side}.new_tokens", (1, 1, wide)
        for layer in range(LAYERS):
            stem = f"{side}.transformers.{layer}"
            for norm, size in (
                ("pre_norm", wide),
                ("ff_norm", wide),
                ("self_attn.q_norm", head),
                ("self_attn.k_norm", head),
            ):
                yield f"{stem}.{norm}.alpha", (1,)
                yield f"{stem}.{norm}.gamma", (size,)
                yield f"{stem}.{norm}.beta", (size,)
            yield f"{stem}.self_attn.to_qkv.weight", (5 * wide, wide)
            yield f"{stem}.self_attn.to_out.weight", (wide, wide)
            yield f"{stem}.ff.ff.0.proj.weight", (6 * wide, wide)
            yield f"{stem}.ff.ff.0.proj.bias", (6 * wide,)
            yield f"{stem}.ff.ff.2.weight", (wide, 3 * wide)
            yield f"{stem}.ff.ff.2.bias", (wide,)
            yield f"{stem}.rope.inv_freq", (head // 4,)
    yield "encoder.layers.2.weight", (LATENTS, wide)
    yield "encoder.layers.2.bias", (LATENTS,)
    yield "decoder.layers.1.weight", (wide, LATENTS)
    yield "decoder.layers.1.bias", (wide,)
    yield "bottleneck.scaling_factor", (1, LATENTS, 1)
    yield "bottleneck.bias", (1, LATENTS, 1)


def _archived_diffusion(tensors: Tensors) -> Tensors:
    archived = {}
    for name, array in tensors.items():
        own = name.removeprefix("model.model.").replace("to_local_embed.", "to_local_embed.seq.")
        own = re.sub(r"\.gamma$", ".weight", own).replace("conditioner.conditioners.prompt.", "cond.")
        own = own.replace("conditioner.conditioners.seconds_total.embedder.embedding.1.", "cond.seconds_total_")
        if not name.startswith("pretransform."):
            is_convolution = own.endswith("process_conv.weight")
            archived[own] = (array.transpose(0, 2, 1) if is_convolution else array).astype(np.float16)
    return archived


def _archived_same(tensors: Tensors, side: str, *, channels_last: bool) -> Tensors:
    archived = {}
    for name, array in folded(tensors).items():
        own = name.removeprefix("pretransform.model.")
        if not own.startswith((side, "bottleneck")) or "inv_freq" in own or "noise" in own:
            continue
        own = re.sub(r"^(encoder\.layers\.0|decoder\.layers\.3|bottleneck)\.", "", own)
        own = own.replace("decoder.layers.1.", "project_in.").replace("encoder.layers.2.", "project_out.")
        own = own.replace("transformers.", "blocks.").replace("self_attn", "attn")
        own = own.replace("ff.ff.0.proj", "ff.glu_proj").replace("ff.ff.2", "ff.proj_out")
        if own == "mapping.weight":
            array = array[:, :, 0] if array.shape[2] == 1 else array.transpose(0, 2, 1) if channels_last else array
        archived[own] = array
    return archived


def folded(tensors: Tensors) -> Tensors:
    """Return the tensors with weight norm folded, by the formula written out."""
    result = {name: array for name, array in tensors.items() if not name.endswith(("weight_g", "weight_v"))}
    for name, direction in tensors.items():
        if name.endswith("weight_v"):
            length = tensors[name.replace("weight_v", "weight_g")]
            norm = np.sqrt((direction.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True))
            result[name.replace("weight_v", "weight")] = (length * direction / norm).astype(np.float32)
    return result


def _random(shapes: Mapping[str, tuple[int, ...]], seed: int) -> Tensors:
    chance = np.random.default_rng(seed)
    return {name: _half(_numbers(chance, name, shape)) for name, shape in shapes.items()}


def _numbers(chance: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    numbers = chance.standard_normal(shape)
    if name.endswith(("gamma", "alpha", "weight_g", "scaling_factor")):
        return 1 + numbers / 8
    return np.asarray(numbers / np.sqrt(shape[1] if len(shape) == 2 else 64))


def _half(numbers: Array) -> Array:
    return numbers.astype(np.float16).astype(np.float32)


def _write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")
