"""The names and shapes of every published tensor of the language model, its conditioning and the codec."""

from __future__ import annotations

from tunesmith.magenta_rt.architecture import MagentaArchitecture, SpectroStreamShape, StackShape
from tunesmith.magenta_rt.conditioning import (
    CONTROL_TABLE,
    NORM_BIAS,
    NORM_SCALE,
    RESERVED,
    STYLE_PROJECTION,
    STYLE_TABLE,
)
from tunesmith.magenta_rt.graph.names import (
    CODEBOOKS,
    CODEC_DECODER,
    DEPTH_ADAPTER,
    DEPTH_STACK,
    EMBEDDINGS,
    FINAL_NORM,
    LOGITS,
    TEMPORAL_STACK,
)
from tunesmith.neural.checkpoint.tensor_shapes import Named, Shapes

CONTROL_IDS = 1536
"""The ids of the 132 numbers beside the style, 1526, in a table padded to this size."""
# The codec has 64 levels, of which the language model writes 12.
QUANTIZER_LEVELS = 64


def published_shapes(architecture: MagentaArchitecture, quantizer_levels: int = QUANTIZER_LEVELS) -> Shapes:
    """Return the shapes of all tensors by name; the codec's quantizer has more levels than the model writes."""
    codec = architecture.codec
    return {
        **dict(_conditioning(architecture)),
        **dict(_language_model(architecture)),
        **dict(_decoder(codec)),
        CODEBOOKS: (quantizer_levels, architecture.codebook_size, codec.latent_size),
    }


def _conditioning(architecture: MagentaArchitecture) -> Named:
    ids = architecture.num_style_codebooks * (architecture.style_codebook_size + RESERVED)
    width = architecture.source_width
    yield STYLE_TABLE, (ids, architecture.style_width)
    yield STYLE_PROJECTION, (architecture.style_width, width)
    yield CONTROL_TABLE, (CONTROL_IDS, width)
    yield NORM_SCALE, (width,)
    yield NORM_BIAS, (width,)


def _language_model(architecture: MagentaArchitecture) -> Named:
    temporal, depth, vocabulary = architecture.temporal, architecture.depth, architecture.vocabulary_size
    yield EMBEDDINGS, (vocabulary, temporal.hidden_size)
    # Equal widths need no adapter.
    if temporal.hidden_size != depth.hidden_size:
        yield DEPTH_ADAPTER, (temporal.hidden_size, depth.hidden_size)
    yield f"{FINAL_NORM}/scale", (depth.hidden_size,)
    yield f"{FINAL_NORM}/bias", (depth.hidden_size,)
    yield f"{LOGITS}/kernel", (depth.hidden_size, vocabulary)
    yield f"{LOGITS}/bias", (vocabulary,)
    for layer in range(temporal.num_layers):
        path = f"{TEMPORAL_STACK}/x_layers_{layer}"
        yield from _attention(f"{path}/self_attention", temporal, temporal.hidden_size, has_sink=True)
        yield from _attention(f"{path}/cross_attention", temporal, architecture.source_width, has_sink=True)
        yield from _feed_forward(f"{path}/ffn", temporal)
    for layer in range(depth.num_layers):
        path = f"{DEPTH_STACK}/x_layers_{layer}"
        yield from _attention(f"{path}/self_attention", depth, depth.hidden_size, has_sink=False)
        yield from _feed_forward(f"{path}/ffn", depth)


def _attention(path: str, stack: StackShape, source_width: int, *, has_sink: bool) -> Named:
    heads = (stack.num_heads, stack.head_size)
    yield f"{path}/attention/query_projection/kernel", (stack.hidden_size, *heads)
    for name in ("key", "value"):
        yield f"{path}/attention/{name}_projection/kernel", (source_width, *heads)
        if has_sink:
            yield f"{path}/attention/sink_{name}_embeddings", (1, *heads)
    yield f"{path}/attention/per_dim_scale", (stack.head_size,)
    yield f"{path}/output_projection/kernel", (stack.hidden_size, *heads)
    yield from _norms(path, stack)


def _feed_forward(path: str, stack: StackShape) -> Named:
    hidden, inner = stack.hidden_size, stack.ffn_size
    for name, shape in (("ffn_layer1", (hidden, inner)), ("ffn_layer2", (inner, hidden))):
        yield f"{path}/{name}/kernel", shape
        yield f"{path}/{name}/bias", shape[1:]
    yield from _norms(path, stack)


def _norms(path: str, stack: StackShape) -> Named:
    yield f"{path}/pre_norm/scale", (stack.hidden_size,)
    yield f"{path}/post_norm/scale", (stack.hidden_size,)


def _decoder(codec: SpectroStreamShape) -> Named:
    first, outputs = f"{CODEC_DECODER}/input_layer", codec.base_bins * codec.base_channels
    yield from _convolution(f"{first}/conv1x1_first", (1, 1, codec.latent_size, outputs))
    yield from _convolution(f"{first}/shortcut_layer/conv1x1_b1", (1, 1, codec.latent_size, outputs))
    yield from _convolution(f"{first}/shortcut_layer/conv1x1_b2", (1, 1, outputs, outputs))
    for name in ("conv2d_3x3", "conv2d_3x3_a"):
        shape = (3, 3, codec.base_channels, codec.base_channels)
        yield from _convolution(f"{CODEC_DECODER}/input_layers_residual_unit/{name}", shape)
    inputs = codec.base_channels
    for unit, ((time, bins), channels) in enumerate(zip(codec.strides, codec.channels, strict=True)):
        path = f"{CODEC_DECODER}/decoder_{unit}"
        # A kernel spans two strides, but never less than three.
        kernel = (max(2 * time, 3), max(2 * bins, 3))
        yield from _convolution(f"{path}/conv2dtranspose_{kernel[0]}x{kernel[1]}", (*kernel, inputs, channels))
        yield from _convolution(f"{path}/conv2d_3x3", (3, 3, channels, channels))
        if inputs != channels:
            yield from _convolution(f"{path}/shortcut_layer/conv1x1", (1, 1, inputs, channels))
        inputs = channels // codec.audio_channels if unit == codec.split_after else channels
    yield from _convolution(f"{CODEC_DECODER}/output_layer/base_conv_last", (7, 7, inputs, 2))


def _convolution(path: str, shape: tuple[int, ...]) -> Named:
    yield f"{path}/conv/kernel", shape
    yield f"{path}/conv/bias", shape[-1:]
