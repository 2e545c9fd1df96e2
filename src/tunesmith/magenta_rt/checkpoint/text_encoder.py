"""MusicCoCa's text encoder from its TFLite file, under short names.

The file is a jax2tf export, whose constants keep the paths of the modules that they were: ``x_layers_3/…``.

token_embedding (tokens, width), position_embedding (positions, width), pooler.query (heads, head)
layers.N.q.weight (outputs, inputs), layers.N.q.bias, the same for k, v, post, ffn1, ffn2, pooler.key, …
layers.N.norm1.scale (width,), layers.N.norm1.bias, the same for norm2, final_norm, pooler.norm
"""

from __future__ import annotations

import re
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.checkpoint.tflite_file import Subgraph, read_tflite
from tunesmith.magenta_rt.style.shapes import TextEncoderShape
from tunesmith.neural.checkpoint.tensors import RearrangedTensor, Tensor

POOLER = "txt_pooler/pool_attn"
POOLER_QUERY, POSITIONS = f"{POOLER}/.*qk_einsum", "position_emb"
TOKENS = "^(?!.*(?:x_layers_|pool_attn|position_)).*emb"
"""The paths of the layers may have the word too."""
SCALED_QUERY = "self_attention/.*_scale_query/mul"
"""The exporter multiplied the scale of the queries into their weights."""


def read_text_encoder(path: Path) -> tuple[TextEncoderShape, dict[str, Tensor]]:
    """Return the shape of the text encoder and its tensors. Raises ModelFileError, which names what is wrong."""
    graph = read_tflite(path)[0]
    shape = _read_shape(graph)
    width, pooled = shape.width, shape.pooled_size
    query = graph.find(POOLER_QUERY, (1, shape.num_heads, 1, shape.pooler_size))
    positions = graph.find(POSITIONS, (1, shape.max_tokens, width))
    tensors: dict[str, Tensor] = {
        "token_embedding": graph.find(TOKENS, (shape.vocabulary_size, width)),
        "position_embedding": RearrangedTensor(positions, (shape.max_tokens, width)),
        "pooler.query": RearrangedTensor(query, (shape.num_heads, shape.pooler_size)),
        **_linear(graph, "pooler.key", f"{POOLER}/key/", (pooled, width)),
        **_linear(graph, "pooler.value", f"{POOLER}/value/", (pooled, width)),
        **_linear(graph, "pooler.post", f"{POOLER}/post/", (width, pooled)),
        **_norm(graph, "pooler.norm", f"{POOLER}_ln/", width),
        **_norm(graph, "final_norm", "exit_stack/ln/", width),
    }
    for layer in range(shape.num_layers):
        tensors |= _read_layer(graph, shape, layer)
    return shape, tensors


def _read_layer(graph: Subgraph, shape: TextEncoderShape, layer: int) -> dict[str, Tensor]:
    width, inner, hidden = shape.width, shape.attention_size, shape.ffn_size
    own, path = f"layers.{layer}.", f"x_layers_{layer}/"
    return {
        f"{own}q.weight": graph.find(path + SCALED_QUERY, (inner, width)),
        f"{own}q.bias": graph.find(path + SCALED_QUERY, (inner,)),
        **_linear(graph, f"{own}k", f"{path}self_attention/key/", (inner, width)),
        **_linear(graph, f"{own}v", f"{path}self_attention/value/", (inner, width)),
        **_linear(graph, f"{own}post", f"{path}self_attention/post/", (width, inner)),
        **_norm(graph, f"{own}norm1", f"{path}layer_norm/", width),
        **_norm(graph, f"{own}norm2", f"{path}ff_layer/layer_norm/", width),
        f"{own}ffn1.weight": graph.find(f"{path}.*ffn_layer1/linear", (hidden, width)),
        f"{own}ffn1.bias": graph.find(f"{path}.*ffn_layer1/bias", (hidden,)),
        f"{own}ffn2.weight": graph.find(f"{path}.*ffn_layer2/linear", (width, hidden)),
        f"{own}ffn2.bias": graph.find(f"{path}.*ffn_layer2/bias", (width,)),
    }


def _linear(graph: Subgraph, own: str, path: str, shape: tuple[int, int]) -> dict[str, Tensor]:
    return {f"{own}.weight": graph.find(f"{path}einsum", shape), f"{own}.bias": graph.find(f"{path}add", shape[:1])}


def _norm(graph: Subgraph, own: str, path: str, width: int) -> dict[str, Tensor]:
    found = {
        "scale": graph.find(f"{path}broadcast_in_dim1", (1, 1, width)),
        "bias": graph.find(f"{path}broadcast_in_dim(?!1)", (1, 1, width)),
    }
    return {f"{own}.{name}": RearrangedTensor(tensor, (width,)) for name, tensor in found.items()}


def _read_shape(graph: Subgraph) -> TextEncoderShape:
    _, max_tokens, width = graph.shape_of(POSITIONS, 3)
    # A layer has as many heads as the pooler; its own weights do not tell.
    _, num_heads, _, pooler_size = graph.shape_of(POOLER_QUERY, 4)
    names = (one.name for one in graph.constants.values())
    layers = {int(found[1]) for name in names for found in re.finditer(r"x_layers_(\d{1,4})/", name)}
    if not layers or layers != set(range(len(layers))):
        raise ModelFileError(graph.file, f"x_layers: must be numbered from 0 on, got {sorted(layers)}")
    inner, _ = graph.shape_of(f"x_layers_0/{SCALED_QUERY}", 2)
    if inner % num_heads:
        raise ModelFileError(graph.file, f"x_layers_0: {inner} queries are not {num_heads} heads")
    return TextEncoderShape(
        width=width, num_layers=len(layers), num_heads=num_heads, head_size=inner // num_heads,
        ffn_size=graph.shape_of("x_layers_0/.*ffn_layer1/linear", 2)[0],
        vocabulary_size=graph.shape_of(TOKENS, 2, last=width)[0], max_tokens=max_tokens, pooler_size=pooler_size,
    )  # fmt: skip
