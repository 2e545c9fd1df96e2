"""Stable Audio Open 1.0 in the layout of diffusers: a folder for each part, the text encoder and tokenizer included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensor_shapes import Shapes
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.weight_files import fold_weight_norm, naming_folder, read_json, read_tensors
from tunesmith.neural.t5 import read_t5
from tunesmith.stable_audio.architecture import (
    FOURIER_FEATURES,
    DiffusionShape,
    NumberCondition,
    OobleckShape,
    StableAudioArchitecture,
)
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    AUTOENCODER,
    CONDITIONER,
    DIFFUSION,
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
)
from tunesmith.stable_audio.checkpoint.file_names import (
    DIFFUSERS_INDEX,
    PART_CONFIG,
    PART_WEIGHTS,
    PROJECTION,
    TEXT_ENCODER,
    TOKENIZER_FOLDER,
    TRANSFORMER,
    USE_INSTEAD,
    VAE,
)
from tunesmith.stable_audio.checkpoint.model_config import PublishedSizes, TextSource
from tunesmith.stable_audio.checkpoint.placement import FindPlace, Shape, StoredForm, StoredPlace, place_tensors

# What diffusers pads prompts to; its files do not say it.
MAX_TOKENS = 128
NUMBERS = {"seconds_start": "start_number_conditioner", "seconds_total": "end_number_conditioner"}
DIFFUSION_NAMES = [
    (r"^timestep_features\.", "time_proj."), (r"^to_timestep_embed\.", "timestep_proj."),
    (r"^to_global_embed\.", "global_proj."), (r"^to_cond_embed\.", "cross_attention_proj."),
    (r"^transformer\.project_", "proj_"), (r"^transformer\.layers\.", "transformer_blocks."),
    (r"\.pre_norm\.", ".norm1."), (r"\.cross_attend_norm\.", ".norm2."), (r"\.ff_norm\.", ".norm3."),
    (r"\.gamma$", ".weight"), (r"\.beta$", ".bias"), (r"\.self_attn\.", ".attn1."), (r"\.cross_attn\.", ".attn2."),
    (r"\.to_out\.", ".to_out.0."), (r"\.ff\.ff\.", ".ff.net."),
]  # fmt: skip
ENCODER_BLOCK = ("res_unit1", "res_unit2", "res_unit3", "snake1", "conv1")
DECODER_BLOCK = ("snake1", "conv_t1", "res_unit1", "res_unit2", "res_unit3")
RESIDUAL_UNIT = ("snake1", "conv1", "snake2", "conv2")
JOINED = {".to_qkv.": (".to_q.", ".to_k.", ".to_v."), ".to_kv.": (".to_k.", ".to_v.")}


def is_diffusers(folder: Path) -> bool:
    """Return whether the folder has this layout."""
    return (folder / DIFFUSERS_INDEX).is_file()


def read_diffusers(folder: Path) -> tuple[StableAudioArchitecture, dict[str, Tensor], Path]:
    """Return the architecture, the tensors and the tokenizer's file.

    Raises ModelFileError, which names the key or the tensor, for another pipeline, or where something is missing or has
    another shape.
    """
    check_pipeline(read_json(folder / DIFFUSERS_INDEX))
    sizes, num_blocks = _read_sizes(folder)
    with naming_folder(TEXT_ENCODER):
        text_shape, text_tensors, tokenizer = read_t5(folder / TEXT_ENCODER, folder / TOKENIZER_FOLDER)
    architecture = sizes.with_text_encoder(text_shape)
    tensors = (
        text_tensors
        | _read_part(folder / TRANSFORMER, diffusion_shapes(sizes.diffusion), find_diffusion)
        | _read_part(folder / PROJECTION, conditioner_shapes(sizes.diffusion, sizes.numbers), find_conditioner)
        | _read_part(folder / VAE, autoencoder_shapes(sizes.autoencoder), partial(find_autoencoder, num_blocks))
    )
    return architecture, tensors, tokenizer


def check_pipeline(values: Mapping[str, Any]) -> None:
    """Check that an index is that of Stable Audio Open 1.0. Raises ModelFileError."""
    index = ConfigReader(DIFFUSERS_INDEX, values)
    if index.optional("_class_name") == "StableAudio3Pipeline":
        # The autoencoder of this layout has a kernel of 1 where SAME-S has 3.
        raise index.error("_class_name", f"Stable Audio 3 is not supported in diffusers' layout: {USE_INSTEAD}")
    index.one_of("_class_name", ("StableAudioPipeline",))


def find_diffusion(name: str, shape: Shape) -> StoredPlace:
    """Return the place of a tensor of the diffusion transformer in ``transformer/``."""
    own = name.removeprefix(DIFFUSION)
    # Several rules may change one name, each the result of those before it.
    for canonical, theirs in DIFFUSION_NAMES:
        own = re.sub(canonical, theirs, own)
    if own == "time_proj.weight":
        return StoredPlace((own,), (StoredForm(shape[:1]), StoredForm(shape)))
    if own.endswith("process_conv.weight"):
        # Stored as a convolution of kernel 1.
        return StoredPlace((own,), (StoredForm((*shape, 1)),))
    joined = next((joined for joined in JOINED if joined in own), None)
    if joined is None:
        return StoredPlace((own,))
    return StoredPlace(tuple(own.replace(joined, part) for part in JOINED[joined]))


def find_conditioner(name: str, _: Shape) -> StoredPlace:
    """Return the place of a tensor of the conditions in ``projection_model/``."""
    number, rest = name.removeprefix(CONDITIONER).split(".embedder.embedding.")
    return StoredPlace((f"{NUMBERS[number]}.time_positional_embedding.{rest}",))


def find_autoencoder(num_blocks: int, name: str, shape: Shape) -> StoredPlace:
    """Return the place of a tensor of Oobleck with ``num_blocks`` blocks in ``vae/``."""
    side, _, layer, *rest = name.removeprefix(AUTOENCODER).split(".")
    ends = {0: "conv1", num_blocks + 1: "snake1", num_blocks + 2: "conv2"}
    own = [side, ends.get(int(layer)) or f"block.{int(layer) - 1}"]
    for level in (ENCODER_BLOCK if side == "encoder" else DECODER_BLOCK, RESIDUAL_UNIT):
        if rest[0] == "layers":
            own.append(level[int(rest[1])])
            rest = rest[2:]
    # Stored ready to multiply (batch, channels, positions).
    forms = (StoredForm((1, *shape, 1)),) if rest[0] in ("alpha", "beta") else ()
    return StoredPlace((".".join([*own, *rest]),), forms)


def _read_part(folder: Path, shapes: Shapes, find: FindPlace) -> dict[str, Tensor]:
    with naming_folder(folder.name):
        return place_tensors(fold_weight_norm(read_tensors(folder / PART_WEIGHTS)), shapes, find, PART_WEIGHTS)


def _config(folder: Path, part: str) -> ConfigReader:
    with naming_folder(part):
        return ConfigReader(f"{part}/{PART_CONFIG}", read_json(folder / part / PART_CONFIG))


def _read_sizes(folder: Path) -> tuple[PublishedSizes, int]:
    vae = _config(folder, VAE)
    autoencoder = _read_oobleck(vae)
    projection = _config(folder, PROJECTION)
    # A projection of the text between equal widths does not exist.
    width = projection.integer("conditioning_dim")
    projection.one_of("text_encoder_dim", (width,))
    low, high = projection.number_from_zero("min_value"), projection.number("max_value")
    transformer = _config(folder, TRANSFORMER)
    diffusion = _read_diffusion(transformer, autoencoder.latent_channels, width)
    diffusion = replace(diffusion, ffn_multiple=_feed_forward_size(folder / TRANSFORMER) / diffusion.hidden_size)
    sizes = PublishedSizes(
        diffusion, autoencoder,
        tuple(NumberCondition(name, low, high, exponential=False) for name in NUMBERS), "v",
        TextSource("t5", TEXT_ENCODER, MAX_TOKENS), transformer.integer("sample_size"), vae.integer("sampling_rate"),
        file=f"{TRANSFORMER}/{PART_CONFIG}",
    )  # fmt: skip
    return sizes, len(autoencoder.strides)


def _read_diffusion(config: ConfigReader, latents: int, width: int) -> DiffusionShape:
    config.one_of("in_channels", (latents,))
    config.one_of("out_channels", (latents,))
    config.one_of("time_proj_dim", (FOURIER_FEATURES,))
    config.one_of("cross_attention_input_dim", (width,))
    config.one_of("cross_attention_dim", (width,))
    config.one_of("global_states_input_dim", (len(NUMBERS) * width,))
    head_size, num_heads = config.integer("attention_head_dim"), config.integer("num_attention_heads")
    shape = DiffusionShape(
        head_size * num_heads, config.integer("num_layers", most=1000), num_heads, latents, width,
        len(NUMBERS) * width, project_condition=False,
    )  # fmt: skip
    config.one_of("num_key_value_attention_heads", (shape.num_key_heads,))
    if not shape.num_key_heads or num_heads % shape.num_key_heads or head_size < shape.rotary_size:
        raise config.error("attention_head_dim", f"{head_size} does not share a width of {width}")
    return shape


def _feed_forward_size(folder: Path) -> int:
    """Return the inner width of the feed-forward layers, which the configuration does not say."""
    name = "transformer_blocks.0.ff.net.2.weight"
    with naming_folder(folder.name):
        tensor = read_tensors(folder / PART_WEIGHTS).get(name)
        if tensor is None or len(tensor.shape) != 2:
            raise ModelFileError(PART_WEIGHTS, f"{name} of two axes is missing")
    return tensor.shape[1]


def _read_oobleck(config: ConfigReader) -> OobleckShape:
    config.one_of("audio_channels", (2,))
    channels = config.integer("decoder_channels")
    config.one_of("encoder_hidden_size", (channels,))
    multiples, strides = config.integers("channel_multiples", least=1), config.integers("downsampling_ratios", least=1)
    if len(multiples) != len(strides):
        raise config.error("downsampling_ratios", f"there are {len(strides)} for {len(multiples)} channel_multiples")
    return OobleckShape(channels, multiples, strides, config.integer("decoder_input_channels"))
