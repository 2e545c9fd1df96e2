"""The twin of a transformers MusicGen in audiocraft's layout: the same weights under that project's names."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]

TEXT_REPOSITORY = "t5-base"
CODEC_REPOSITORY = "facebook/encodec_32khz"
LAYER_NAMES = {
    "self_attn_layer_norm": "norm1", "encoder_attn_layer_norm": "norm_cross", "final_layer_norm": "norm2",
    "self_attn.out_proj": "self_attn.out_proj", "encoder_attn.out_proj": "cross_attention.out_proj",
    "fc1": "linear1", "fc2": "linear2",
}  # fmt: skip
CODEC_NAMES = [
    ("parametrizations.weight.original0", "weight_g"),
    ("parametrizations.weight.original1", "weight_v"),
    (r"^decoder\.layers\.(3|6|9|12)\.conv\.", r"decoder.layers.\1.convtr.convtr."),
    (r"(?<!conv)\.conv\.(?!conv)", ".conv.conv."),
    (r"^(encoder|decoder)\.layers\.", r"\1.model."),
    (r"^quantizer\.layers\.(\d+)\.codebook\.", r"quantizer.vq.layers.\1._codebook."),
]


def write_audiocraft(
    folder: Path,
    model: Any,
    *,
    half: bool = False,
    codec: Literal["weights", "pointer"] = "weights",
    sample_rate: int = 32000,
    text_repository: str = TEXT_REPOSITORY,
    window_seconds: float = 30.0,
) -> None:
    """Write ``state_dict.bin`` and ``compression_state_dict.bin`` with the weights of a transformers model.

    ``half`` stores float16, as published. ``codec`` is whether EnCodec's weights are there or only its repository's
    name. The text encoder never is: see ``write_companions``.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    kind = torch.float16 if half else torch.float32
    decoder = OrderedDict((name, tensor.to(kind)) for name, tensor in decoder_tensors(model).items())
    about = {"version": "1.4.0a1", "exported": True}
    settings = yaml.safe_dump(decoder_settings(model, sample_rate, text_repository, window_seconds))
    torch.save({"best_state": decoder, "xp.cfg": settings, **about}, folder / "state_dict.bin")
    if codec == "pointer":
        package: dict[str, Any] = {"pretrained": CODEC_REPOSITORY}
    else:
        settings = yaml.safe_dump(codec_settings(model.config.audio_encoder, sample_rate))
        package = {"best_state": codec_tensors(model.audio_encoder), "xp.cfg": settings}
    torch.save({**package, **about}, folder / "compression_state_dict.bin")


def decoder_tensors(model: Any) -> Tensors:
    """Return the decoder's and the projections' weights under audiocraft's names."""
    state = model.state_dict()
    tensors: Tensors = {}
    for name, tensor in state.items():
        renamed = _decoder_name(name)
        if renamed is not None:
            tensors[renamed] = tensor
    for layer in range(model.config.decoder.num_hidden_layers):
        _fuse(tensors, state, layer)
    return tensors


def _decoder_name(name: str) -> str | None:
    for theirs, ours in (("enc_to_dec_proj.", "description"), ("audio_enc_to_dec_proj.", "self_wav")):
        if name.startswith(theirs):
            return f"condition_provider.conditioners.{ours}.output_proj.{name.removeprefix(theirs)}"
    name = name.removeprefix("decoder.")
    for theirs, ours in (
        ("model.decoder.embed_tokens.", "emb."), ("model.decoder.layer_norm.", "out_norm."), ("lm_heads.", "linears."),
    ):  # fmt: skip
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    match = re.fullmatch(r"model\.decoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if match is None or match[2] not in LAYER_NAMES:
        return None
    return f"transformer.layers.{match[1]}.{LAYER_NAMES[match[2]]}.{match[3]}"


def _fuse(tensors: Tensors, state: Tensors, layer: int) -> None:
    import torch

    for theirs, ours in (("self_attn", "self_attn"), ("encoder_attn", "cross_attention")):
        parts = [f"decoder.model.decoder.layers.{layer}.{theirs}.{part}_proj.weight" for part in "qkv"]
        if parts[0] in state:
            fused = torch.cat([state[part] for part in parts])
            tensors[f"transformer.layers.{layer}.{ours}.in_proj_weight"] = fused


def codec_tensors(codec: Any) -> Tensors:
    """Return a transformers EnCodec's weights under audiocraft's names."""
    tensors: Tensors = {}
    for name, tensor in codec.state_dict().items():
        for theirs, ours in CODEC_NAMES:
            name = re.sub(theirs, ours, name)
        tensors[name] = tensor
    return tensors


def decoder_settings(
    model: Any, sample_rate: int, text_repository: str = TEXT_REPOSITORY, window_seconds: float = 30.0
) -> dict[str, Any]:
    """Return what ``xp.cfg`` of a language model says, as far as it matters, references between settings included."""
    sizes = model.config.decoder
    stereo = sizes.audio_channels == 2
    melody = model.config.model_type == "musicgen_melody"
    delays = [k // sizes.audio_channels for k in range(sizes.num_codebooks)]
    text = {"model": "t5", "t5": {
        "name": text_repository, "finetune": False, "word_dropout": 0.2, "normalize_text": False,
    }}  # fmt: skip
    chroma = {"model": "chroma_stem", "chroma_stem": {
        "sample_rate": "${sample_rate}", "n_chroma": 12, "radix2_exp": 14, "argmax": True, "match_len_on_eval": False,
    }}  # fmt: skip
    prepended = ["self_wav", "description"] if melody else []
    return {
        "solver": "musicgen",
        "sample_rate": sample_rate,
        "channels": sizes.audio_channels,
        "lm_model": "transformer_lm",
        "dataset": {"segment_duration": window_seconds, "batch_size": 192},
        "transformer_lm": {
            "dim": sizes.hidden_size, "num_heads": sizes.num_attention_heads, "num_layers": sizes.num_hidden_layers,
            "hidden_scale": sizes.ffn_dim // sizes.hidden_size, "n_q": sizes.num_codebooks, "card": sizes.vocab_size,
            "dropout": 0.0, "activation": "gelu", "norm": "layer_norm", "norm_first": True, "bias_ff": False,
            "bias_attn": False, "bias_proj": False, "causal": True, "positional_embedding": "sin",
            "layer_scale": None, "qk_layer_norm": False, "cross_attention": False, "two_step_cfg": False,
        },
        "codebooks_pattern": {
            "modeling": "delay", "delay": {"delays": delays, "flatten_first": 0, "empty_initial": 0},
        },
        "interleave_stereo_codebooks": {"use": stereo, "per_timestep": False},
        "conditioners": {
            "args": {"merge_text_conditions_p": 0.25}, "description": text, **({"self_wav": chroma} if melody else {}),
        },
        "fuser": {
            "cross_attention_pos_emb": False, "cross_attention_pos_emb_scale": 1, "sum": [], "prepend": prepended,
            "cross": [] if melody else ["description"], "input_interpolate": [],
        },
        "classifier_free_guidance": {"training_dropout": 0.3, "inference_coef": 3.0},
    }  # fmt: skip


def codec_settings(sizes: Any, sample_rate: int) -> dict[str, Any]:
    """Return what ``xp.cfg`` of a compression model says, as far as it matters."""
    return {
        "solver": "compression",
        "sample_rate": sample_rate,
        "channels": 1,
        "compression_model": "encodec",
        "encodec": {
            "autoencoder": "seanet", "quantizer": "rvq", "sample_rate": "${sample_rate}", "channels": "${channels}",
            "causal": False, "renormalize": False,
        },
        "seanet": {
            "dimension": sizes.hidden_size, "channels": "${channels}", "causal": "${encodec.causal}",
            "n_filters": sizes.num_filters, "n_residual_layers": 1, "ratios": list(sizes.upsampling_ratios),
            "activation": "ELU", "activation_params": {"alpha": 1.0}, "norm": "weight_norm", "norm_params": {},
            "kernel_size": 7, "residual_kernel_size": 3, "last_kernel_size": 7, "dilation_base": 2,
            "pad_mode": sizes.pad_mode, "true_skip": True, "compress": 2, "lstm": sizes.num_lstm_layers,
            "disable_norm_outer_blocks": 0, "encoder": {},
            "decoder": {"trim_right_ratio": 1.0, "final_activation": None, "final_activation_params": None},
        },
        "rvq": {"n_q": 4, "bins": sizes.codebook_size, "q_dropout": False, "decay": 0.99, "kmeans_init": True},
    }  # fmt: skip
