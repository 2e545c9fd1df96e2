"""Names and shapes of a model's tensors, the same for every layout of its files.

diffusion.…      the diffusion transformer
conditioner.…    the conditions: numbers and padding
autoencoder.…    SAME-S or Oobleck, with weight norm folded
text_encoder.…   T5Gemma; T5's names are those of ``neural.t5``

The rotary frequencies, which some files hold, follow from the sizes and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.neural.checkpoint.tensor_shapes import Named, Shapes
from tunesmith.stable_audio.architecture import (
    FOURIER_FEATURES,
    DiffusionShape,
    NumberCondition,
    OobleckShape,
    SameShape,
    T5GemmaShape,
)

DIFFUSION, CONDITIONER, AUTOENCODER, TEXT_ENCODER = "diffusion.", "conditioner.", "autoencoder.", "text_encoder."
SAME_ENCODER, SAME_DECODER = "encoder.layers.0.", "decoder.layers.3."


def diffusion_shapes(shape: DiffusionShape) -> Shapes:
    """Return the tensor shapes of the diffusion transformer."""
    named = (*_diffusion_ends(shape), *_modulation(shape), *_layers(shape))
    return {f"{DIFFUSION}{name}": size for name, size in named}


def conditioner_shapes(shape: DiffusionShape, numbers: tuple[NumberCondition, ...]) -> Shapes:
    """Return the tensor shapes of the conditions; learned Fourier features have frequencies of their own."""
    width = shape.condition_width
    shapes: Shapes = {}
    if shape.num_memory_tokens:
        shapes[f"{CONDITIONER}prompt.padding_embedding"] = (width,)
    for number in numbers:
        stem = f"{CONDITIONER}{number.name}.embedder.embedding."
        if not number.exponential:
            shapes[f"{stem}0.weights"] = (FOURIER_FEATURES // 2,)
        # Learned features have the number itself in front.
        shapes[f"{stem}1.weight"] = (width, FOURIER_FEATURES + (not number.exponential))
        shapes[f"{stem}1.bias"] = (width,)
    return shapes


def autoencoder_shapes(shape: SameShape | OobleckShape) -> Shapes:
    """Return the tensor shapes of the autoencoder."""
    named = _same(shape) if isinstance(shape, SameShape) else _oobleck(shape)
    return {f"{AUTOENCODER}{name}": size for name, size in named}


def t5gemma_shapes(shape: T5GemmaShape) -> Shapes:
    """Return the tensor shapes of T5Gemma's encoder."""
    return {f"{TEXT_ENCODER}{name}": size for name, size in _t5gemma(shape)}


def _linear(name: str, outputs: int, inputs: int, *, bias: bool = True) -> Named:
    yield f"{name}.weight", (outputs, inputs)
    if bias:
        yield f"{name}.bias", (outputs,)


def _two_layers(name: str, widths: tuple[int, int, int], *, bias: bool) -> Named:
    inputs, middle, outputs = widths
    yield from _linear(f"{name}.0", middle, inputs, bias=bias)
    yield from _linear(f"{name}.2", outputs, middle, bias=bias)


def _diffusion_ends(shape: DiffusionShape) -> Named:
    hidden, latents = shape.hidden_size, shape.latent_channels
    condition = hidden if shape.project_condition else shape.condition_width
    for name in ("preprocess_conv", "postprocess_conv"):
        yield f"{name}.weight", (latents, latents)
    yield from _two_layers("to_cond_embed", (shape.condition_width, condition, condition), bias=False)
    yield from _two_layers("to_global_embed", (shape.global_width, hidden, hidden), bias=False)
    yield from _two_layers("to_timestep_embed", (FOURIER_FEATURES, hidden, hidden), bias=True)
    yield "transformer.project_in.weight", (hidden, latents)
    yield "transformer.project_out.weight", (latents, hidden)


def _modulation(shape: DiffusionShape) -> Named:
    hidden = shape.hidden_size
    if not shape.num_memory_tokens:
        # Stable Audio Open learns the frequencies of the noise level; Stable Audio 3 computes them.
        yield "timestep_features.weight", (FOURIER_FEATURES // 2, 1)
        return
    yield "transformer.memory_tokens", (shape.num_memory_tokens, hidden)
    yield from _two_layers("transformer.global_cond_embedder", (hidden, hidden, 6 * hidden), bias=True)


def _layers(shape: DiffusionShape) -> Named:
    hidden, inner = shape.hidden_size, int(shape.hidden_size * shape.ffn_multiple)
    condition = hidden if shape.project_condition else shape.condition_width
    for layer in range(shape.num_layers):
        stem = f"transformer.layers.{layer}."
        for norm in ("pre_norm", "cross_attend_norm", "ff_norm"):
            yield f"{stem}{norm}.gamma", (hidden,)
            if not shape.num_memory_tokens:
                # Layer norms of Stable Audio Open have a shift; root-mean-square norms have none.
                yield f"{stem}{norm}.beta", (hidden,)
        yield f"{stem}self_attn.to_qkv.weight", (3 * hidden, hidden)
        yield f"{stem}cross_attn.to_q.weight", (hidden, hidden)
        yield f"{stem}cross_attn.to_kv.weight", (2 * condition, condition)
        for attention in ("self_attn", "cross_attn"):
            yield f"{stem}{attention}.to_out.weight", (hidden, hidden)
            yield from _head_norms(f"{stem}{attention}.", shape)
        yield from _linear(f"{stem}ff.ff.0.proj", 2 * inner, hidden)
        yield from _linear(f"{stem}ff.ff.2", hidden, inner)
        if shape.num_memory_tokens:
            # A scale, a shift and a gate, for self-attention and for the feed-forward layer.
            yield f"{stem}to_scale_shift_gate", (6 * hidden,)
        if shape.local_width:
            yield from _two_layers(f"{stem}to_local_embed", (shape.local_width, hidden, hidden), bias=True)


def _head_norms(stem: str, shape: DiffusionShape) -> Named:
    parts = {"rms": ("gamma",), "ln": ("weight", "bias"), "none": ()}[shape.qk_norm]
    for norm in ("q_norm", "k_norm"):
        for part in parts:
            yield f"{stem}{norm}.{part}", (shape.head_size,)


def _same(shape: SameShape) -> Named:
    hidden, latents, patch = shape.hidden_size, shape.latent_channels, 2 * shape.patch_size
    yield f"{SAME_ENCODER}mapping.weight", (hidden, patch, 1)
    yield f"{SAME_ENCODER}mapping.bias", (hidden,)
    yield from _linear("encoder.layers.2", latents, hidden)
    yield from _linear("decoder.layers.1", hidden, latents)
    yield f"{SAME_DECODER}mapping.weight", (patch, hidden, 3)
    yield f"{SAME_DECODER}mapping.bias", (patch,)
    for side in (SAME_ENCODER, SAME_DECODER):
        yield f"{side}new_tokens", (1, 1, hidden)
        for layer in range(shape.num_layers):
            yield from _same_layer(f"{side}transformers.{layer}.", shape)
    yield "bottleneck.scaling_factor", (1, latents, 1)
    yield "bottleneck.bias", (1, latents, 1)
    yield "bottleneck.running_std", (1,)


def _same_layer(stem: str, shape: SameShape) -> Named:
    hidden = shape.hidden_size
    for norm, width in (
        ("pre_norm", hidden), ("ff_norm", hidden),
        ("self_attn.q_norm", shape.head_size), ("self_attn.k_norm", shape.head_size),
    ):  # fmt: skip
        yield f"{stem}{norm}.alpha", (1,)
        yield f"{stem}{norm}.gamma", (width,)
        yield f"{stem}{norm}.beta", (width,)
    # Differential attention has two queries and two keys.
    yield f"{stem}self_attn.to_qkv.weight", (5 * hidden, hidden)
    yield f"{stem}self_attn.to_out.weight", (hidden, hidden)
    yield from _linear(f"{stem}ff.ff.0.proj", 2 * shape.ffn_size, hidden)
    yield from _linear(f"{stem}ff.ff.2", hidden, shape.ffn_size)


def _oobleck(shape: OobleckShape) -> Named:
    widths = [shape.channels * multiple for multiple in (1, *shape.multiples)]
    last = len(shape.strides) + 1
    yield from _convolution("encoder.layers.0", (widths[0], 2, 7), widths[0])
    for block, stride in enumerate(shape.strides, 1):
        yield from _oobleck_encoder_block(f"encoder.layers.{block}.", widths[block - 1], widths[block], stride)
    yield from _snake(f"encoder.layers.{last}", widths[-1])
    yield from _convolution(f"encoder.layers.{last + 1}", (2 * shape.latent_channels, widths[-1], 3))
    yield from _convolution("decoder.layers.0", (widths[-1], shape.latent_channels, 7))
    sides = zip(shape.strides[::-1], widths[:0:-1], widths[-2::-1], strict=True)
    for block, (stride, inputs, outputs) in enumerate(sides, 1):
        yield from _oobleck_decoder_block(f"decoder.layers.{block}.", inputs, outputs, stride)
    yield from _snake(f"decoder.layers.{last}", widths[0])
    # The only convolution without a bias.
    yield f"decoder.layers.{last + 1}.weight", (2, widths[0], 7)


def _oobleck_encoder_block(stem: str, inputs: int, outputs: int, stride: int) -> Named:
    for unit in range(3):
        yield from _residual_unit(f"{stem}layers.{unit}.", inputs)
    yield from _snake(f"{stem}layers.3", inputs)
    yield from _convolution(f"{stem}layers.4", (outputs, inputs, 2 * stride))


def _oobleck_decoder_block(stem: str, inputs: int, outputs: int, stride: int) -> Named:
    yield from _snake(f"{stem}layers.0", inputs)
    # Transposed convolutions store their input channels first.
    yield from _convolution(f"{stem}layers.1", (inputs, outputs, 2 * stride), outputs)
    for unit in (2, 3, 4):
        yield from _residual_unit(f"{stem}layers.{unit}.", outputs)


def _residual_unit(stem: str, width: int) -> Named:
    for snake, kernel in ((0, 7), (2, 1)):
        yield from _snake(f"{stem}layers.{snake}", width)
        yield from _convolution(f"{stem}layers.{snake + 1}", (width, width, kernel))


def _convolution(name: str, weight: tuple[int, int, int], bias: int | None = None) -> Named:
    yield f"{name}.weight", weight
    yield f"{name}.bias", (weight[0] if bias is None else bias,)


def _snake(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.alpha", (width,)
    yield f"{name}.beta", (width,)


def _t5gemma(shape: T5GemmaShape) -> Named:
    hidden, inner = shape.hidden_size, shape.num_heads * shape.head_size
    yield "embed_tokens.weight", (shape.vocabulary_size, hidden)
    yield "norm.weight", (hidden,)
    for layer in range(shape.num_layers):
        stem = f"layers.{layer}."
        for projection in "qkv":
            yield f"{stem}self_attn.{projection}_proj.weight", (inner, hidden)
        yield f"{stem}self_attn.o_proj.weight", (hidden, inner)
        for projection in ("gate", "up"):
            yield f"{stem}mlp.{projection}_proj.weight", (shape.ffn_size, hidden)
        yield f"{stem}mlp.down_proj.weight", (hidden, shape.ffn_size)
        for norm in ("pre_self_attn", "post_self_attn", "pre_feedforward", "post_feedforward"):
            yield f"{stem}{norm}_layernorm.weight", (hidden,)
