"""``model_config.json``: the sizes of a Stable Audio model, and the check that it is of a kind that is run here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.weight_files import read_json
from tunesmith.neural.t5 import T5Shape
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    Objective,
    OobleckShape,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.checkpoint.file_names import MODEL_CONFIG, USE_INSTEAD

PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where the text encoder of a model is: T5Gemma in the subfolder ``place``, or T5 in the repository ``place``."""

    kind: Literal["t5gemma", "t5"]
    place: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class PublishedSizes:
    """What a configuration says of a model: everything but the text encoder, which has a configuration of its own."""

    diffusion: DiffusionShape
    autoencoder: SameShape | OobleckShape
    numbers: tuple[NumberCondition, ...]
    objective: Objective
    text: TextSource
    max_latents: int
    sample_rate: int
    file: str = field(default=MODEL_CONFIG)

    def with_text_encoder(self, text_encoder: T5GemmaShape | T5Shape) -> StableAudioArchitecture:
        """Return the whole architecture. Raises ModelFileError if the text encoder has another width."""
        width = self.diffusion.condition_width
        if text_encoder.hidden_size != width:
            problem = (
                f"cond_token_dim is {width}, and the text encoder's states have {text_encoder.hidden_size} numbers"
            )
            raise ModelFileError(self.file, problem)
        return StableAudioArchitecture(
            self.diffusion, self.autoencoder, text_encoder, self.numbers, self.objective,
            max_tokens=self.text.max_tokens, max_latents=self.max_latents, sample_rate=self.sample_rate,
        )  # fmt: skip


def read_model_config(folder: Path) -> PublishedSizes:
    """Read the configuration of a model.

    Raises ModelFileError, which names the key, for a model of another kind, also for Stable Audio 3 medium.
    """
    return parse_model_config(read_json(folder / MODEL_CONFIG))


def parse_model_config(values: Mapping[str, Any]) -> PublishedSizes:
    """Read the values of a configuration; see ``read_model_config``."""
    settings = ConfigReader(MODEL_CONFIG, values)
    settings.one_of("model_type", ("diffusion_cond_inpaint", "diffusion_cond"))
    settings.one_of("audio_channels", (2,), 2)
    model = settings.section("model")
    text, numbers = _conditioners(model.section("conditioning"))
    diffusion = model.section("diffusion")
    ordered = _order(diffusion, numbers)
    pretransform = model.section("pretransform")
    # No key names the generation; the text encoder tells it.
    is_third = text.kind == "t5gemma"
    shape = _stable_audio_3(diffusion) if is_third else _stable_audio_open(diffusion)
    autoencoder = _read_same(pretransform) if is_third else _read_oobleck(pretransform)
    _check_widths(model, shape, autoencoder, len(numbers))
    objective: Objective = diffusion.one_of("diffusion_objective", ("rf_denoiser", "rectified_flow", "v"), "v")
    sample_size = settings.integer("sample_size", most=1_000_000_000)
    if sample_size < autoencoder.hop_size:
        raise settings.error("sample_size", f"{sample_size} samples are less than one latent")
    return PublishedSizes(
        shape, autoencoder, ordered, objective, text, max_latents=sample_size // autoencoder.hop_size,
        sample_rate=settings.integer("sample_rate"),
    )  # fmt: skip


def _conditioners(settings: ConfigReader) -> tuple[TextSource, dict[str, NumberCondition]]:
    text, numbers = None, {}
    for section in settings.sections("configs"):
        name, config = section.text("id"), section.section("config")
        kind = section.one_of("type", ("t5gemma", "t5", "number"))
        if kind == "number":
            features = config.one_of("fourier_features_type", ("expo", "learned"), "learned")
            low, high = config.number_from_zero("min_val", 0.0), config.number("max_val", 1.0)
            if low >= high:
                raise config.error("max_val", f"must be above min_val, {low}, got {high}")
            numbers[name] = NumberCondition(name, low, high, exponential=features == "expo")
        elif name == PROMPT and text is None:
            text = _text_source(kind, config)
        else:
            raise section.error("id", f"must be one text, {PROMPT!r}, and numbers, got {name!r}")
    if text is None or not numbers:
        raise settings.error("configs", f"{PROMPT} or the seconds are missing")
    return text, numbers


def _text_source(kind: str, config: ConfigReader) -> TextSource:
    # A projection between equal widths does not exist, and another width is refused below.
    if kind == "t5gemma":
        config.one_of("padding_mode", ("learned",))
        subfolder = config.text("subfolder", "t5gemma-b-b-ul2")
        if not subfolder.replace("-", "").replace("_", "").isalnum():
            raise config.error("subfolder", f"{subfolder!r} is not the name of a folder beside it")
        return TextSource("t5gemma", subfolder, config.integer("max_length", 256, most=512))
    # The names without an owner are those of before the hub had owners.
    name = config.text("t5_model_name", "t5-base")
    repository = name if "/" in name else f"google-t5/{name}"
    return TextSource("t5", repository, config.integer("max_length", 128, most=512))


def _order(diffusion: ConfigReader, numbers: dict[str, NumberCondition]) -> tuple[NumberCondition, ...]:
    """Return the numbers in the order of the context."""
    prompt, *names = diffusion.texts("cross_attention_cond_ids") or ("",)
    if prompt != PROMPT or sorted(names) != sorted(numbers):
        raise diffusion.error("cross_attention_cond_ids", f"only {[PROMPT, *numbers]} is read, got {[prompt, *names]}")
    diffusion.one_of("global_cond_ids", (names,))
    return tuple(numbers[name] for name in names)


def _stable_audio_3(diffusion: ConfigReader) -> DiffusionShape:
    diffusion.one_of("type", ("dit",), "dit")
    diffusion.one_of("local_add_cond_ids", (["inpaint_mask", "inpaint_masked_input"],))
    diffusion.one_of("sampling_distribution_shift_options", (None,))
    config = diffusion.section("config")
    attention = config.section("attn_kwargs")
    if attention.flag("differential", default=False):
        raise attention.error("differential", f"true is Stable Audio 3 medium, which is not supported: {USE_INSTEAD}")
    attention.one_of("qk_norm", ("rms",))
    config.one_of("global_cond_type", ("adaLN",))
    config.one_of("timestep_features_type", ("expo",))
    config.one_of("timestep_features_logsnr", (False,), False)
    config.one_of("norm_type", ("rms_norm",))
    latents = config.integer("io_channels")
    config.one_of("local_add_cond_dim", (latents + 1,))
    memory = config.integer("num_memory_tokens", most=4096)
    return _diffusion(config, latents, "rms", num_memory_tokens=memory, local_width=latents + 1)


def _stable_audio_open(diffusion: ConfigReader) -> DiffusionShape:
    diffusion.one_of("type", ("dit",), "dit")
    config = diffusion.section("config")
    for name in ("local_add_cond_dim", "num_memory_tokens", "prepend_cond_dim", "input_concat_dim"):
        config.one_of(name, (0,), 0)
    config.one_of("global_cond_type", ("prepend",), "prepend")
    config.one_of("timestep_features_type", ("learned",), "learned")
    config.one_of("norm_type", ("layer_norm",), "layer_norm")
    attention = config.section("attn_kwargs") if "attn_kwargs" in config.values else ConfigReader(config.file, {})
    attention.one_of("differential", (False,), False)
    qk_norm: Literal["ln", "none"] = attention.one_of("qk_norm", ("ln", "none"), "none")
    project = config.flag("project_cond_tokens", default=True)
    return _diffusion(config, config.integer("io_channels"), qk_norm, project_condition=project)


def _diffusion(
    config: ConfigReader, latents: int, qk_norm: Literal["rms", "ln", "none"], *, num_memory_tokens: int = 0,
    local_width: int = 0, project_condition: bool = True,
) -> DiffusionShape:  # fmt: skip
    config.one_of("transformer_type", ("continuous_transformer",), "continuous_transformer")
    config.one_of("project_global_cond", (True,), True)
    config.one_of("patch_size", (1,), 1)
    feed_forward = config.section("ff_kwargs") if "ff_kwargs" in config.values else ConfigReader(config.file, {})
    shape = DiffusionShape(
        hidden_size=config.integer("embed_dim"), num_layers=config.integer("depth", most=1000),
        num_heads=config.integer("num_heads"), latent_channels=latents,
        condition_width=config.integer("cond_token_dim"), global_width=config.integer("global_cond_dim"),
        num_memory_tokens=num_memory_tokens, local_width=local_width, qk_norm=qk_norm,
        project_condition=project_condition, ffn_multiple=feed_forward.number("mult", 4.0),
    )  # fmt: skip
    if shape.hidden_size % shape.num_heads or shape.head_size % 2 or shape.head_size < shape.rotary_size:
        raise config.error("num_heads", f"{shape.num_heads} cannot share {shape.hidden_size}")
    if not shape.num_key_heads or shape.num_heads % shape.num_key_heads:
        raise config.error("cond_token_dim", f"{shape.condition_width} holds no whole number of heads")
    return shape


def _read_same(pretransform: ConfigReader) -> SameShape:
    config = pretransform.section("config")
    bottleneck = config.section("bottleneck")
    bottleneck.one_of("type", ("softnorm",))
    bottleneck.section("config").one_of("noise_augment_dim", (0,), 0)
    patches = config.section("pretransform")
    patches.one_of("type", ("patched",))
    patches.section("config").one_of("channels", (2,))
    patch_size = patches.section("config").integer("patch_size")
    sides = [_same_side(config.section(side), patch_size, side) for side in ("encoder", "decoder")]
    if sides[0] != sides[1]:
        raise config.error("decoder", "its sizes are not those of the encoder")
    return sides[0]


def _same_side(section: ConfigReader, patch_size: int, side: str) -> SameShape:
    section.one_of("type", ("same",))
    config = section.section("config")
    if config.optional("sliding_window") is not None:
        raise config.error(
            "sliding_window", f"belongs to SAME-L (Stable Audio 3 medium), which is not supported: {USE_INSTEAD}"
        )
    for name in ("differential", "dyt", "variable_stride", "chunk_midpoint_shift"):
        config.one_of(name, (True,))
    # Only the decoder's mapping is a convolution over neighbouring patches.
    config.one_of("conv_mapping", (side == "decoder",), False)
    config.one_of("in_channels" if side == "encoder" else "out_channels", (2 * patch_size,))
    (multiple,), (stride,), (depth,) = (_one(config, name) for name in ("c_mults", "strides", "transformer_depths"))
    # A chunk is two latents, and the shift by one of them begins in the middle layer.
    config.one_of("chunk_size", (2 * stride,))
    if depth % 2:
        raise config.error("transformer_depths", f"must be even, got {depth}")
    hidden, head = config.integer("channels") * multiple, config.integer("dim_heads")
    if hidden % head:
        raise config.error("dim_heads", f"{hidden} channels are no whole number of heads of {head}")
    return SameShape(
        hidden, depth, head, round(hidden * config.number("ff_mult", 3.0)), config.integer("latent_dim"), patch_size,
        stride,
    )  # fmt: skip


def _one(config: ConfigReader, name: str) -> tuple[int]:
    values = config.integers(name, least=1)
    if len(values) != 1:
        raise config.error(name, f"must have one level, got {list(values)}")
    return (values[0],)


def _read_oobleck(pretransform: ConfigReader) -> OobleckShape:
    pretransform.one_of("type", ("autoencoder",), "autoencoder")
    # The latents would have to be scaled.
    pretransform.one_of("scale", (1, 1.0), 1.0)
    config = pretransform.section("config")
    config.section("bottleneck").one_of("type", ("vae",))
    latents = config.integer("latent_dim")
    sides = [_oobleck_side(config.section(side), side, latents) for side in ("encoder", "decoder")]
    if sides[0] != sides[1]:
        raise config.error("decoder", "its sizes are not those of the encoder")
    return sides[0]


def _oobleck_side(section: ConfigReader, side: str, latents: int) -> OobleckShape:
    section.one_of("type", ("oobleck",))
    config = section.section("config")
    config.one_of("use_snake", (True,))
    config.one_of("in_channels" if side == "encoder" else "out_channels", (2,))
    # The encoder gives a mean and a scale.
    config.one_of("latent_dim", (2 * latents if side == "encoder" else latents,))
    if side == "decoder":
        config.one_of("final_tanh", (False,))
    multiples, strides = config.integers("c_mults", least=1), config.integers("strides", least=1, most=64)
    if len(multiples) != len(strides):
        raise config.error("strides", f"there are {len(strides)} for {len(multiples)} c_mults")
    return OobleckShape(config.integer("channels"), multiples, strides, latents)


def _check_widths(
    model: ConfigReader, shape: DiffusionShape, autoencoder: SameShape | OobleckShape, num_numbers: int
) -> None:
    """Check that the parts fit together."""
    model.one_of("io_channels", (shape.latent_channels,))
    pretransform = model.section("pretransform").section("config")
    pretransform.one_of("latent_dim", (shape.latent_channels,))
    pretransform.one_of("downsampling_ratio", (autoencoder.hop_size,))
    if autoencoder.latent_channels != shape.latent_channels:
        raise model.error("io_channels", f"the autoencoder has {autoencoder.latent_channels} channels")
    model.section("conditioning").one_of("cond_dim", (shape.condition_width,))
    config = model.section("diffusion").section("config")
    config.one_of("global_cond_dim", (num_numbers * shape.condition_width,))
