"""MusicCoCa's text encoder as a graph for each layer: the tokens of one prompt in, its embedding out, without padding.

    token_ids (tokens,) -> states (1, tokens, width) -> … -> embedding (width,)

The reference pads to 128 tokens and masks the padding everywhere, so that leaving it away changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.model_folder import EMBEDDING, TEXT_ENCODER
from tunesmith.magenta_rt.style.shapes import EPSILON, SCORE_CAP, TextEncoderShape
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.graph_chain import part_path
from tunesmith.neural.transformer_nodes import (
    add_and_layer_norm,
    integers,
    layer_norm,
    reshape,
    scalar,
)

FLOAT = 1
"""ONNX's number of the type float32."""
TOKEN_EMBEDDING, POSITION_EMBEDDING = "token_embedding", "position_embedding"


def build_text_encoder(
    folder: Path, open_builder: Callable[[Path], GraphBuilder], shape: TextEncoderShape,
    weights: Mapping[str, NDArray[np.float32]],
) -> None:  # fmt: skip
    """Build the chain described above in a folder; ``open_builder`` opens the builder of a graph file.

    The names of the weights are those of ``checkpoint.text_encoder``.
    """
    for layer in range(shape.num_layers):
        with open_builder(part_path(folder, TEXT_ENCODER, layer)) as builder:
            _TextEncoder(builder, shape, weights).build(layer)


@dataclass(frozen=True, slots=True)
class _TextEncoder:
    builder: GraphBuilder
    shape: TextEncoderShape
    weights: Mapping[str, NDArray[np.float32]]

    def build(self, layer: int) -> None:
        """Add a layer, and the tables of tokens and positions before the first or the pooler after the last.

        The sum of a part of a layer and the next norm are one fused node.
        """
        builder, shape, own = self.builder, self.shape, f"layers.{layer}."
        states = self._states(layer)
        attended = self._attention(own, layer_norm(builder, states, *self._norm(f"{own}norm1"), EPSILON))
        normed, states = add_and_layer_norm(builder, states, attended, self._norm(f"{own}norm2"), EPSILON)
        update = self._linear(f"{own}ffn2", builder.node("Gelu", self._linear(f"{own}ffn1", normed)))
        if layer + 1 < shape.num_layers:
            # Named by a node of its own: a reference in bfloat16 rounds the sum in a node after it.
            builder.nodes("Identity", [builder.node("Add", states, update)], [_name(layer + 1)])
            builder.output(_name(layer + 1), np.float32, [1, "tokens", shape.width])
            return
        normed, _ = add_and_layer_norm(builder, states, update, self._norm("final_norm"), EPSILON)
        pooled = layer_norm(builder, self._pool(normed), *self._norm("pooler.norm"), EPSILON)
        builder.nodes("Reshape", [pooled, integers(builder, -1)], [EMBEDDING])
        builder.output(EMBEDDING, np.float32, [shape.width])

    def _states(self, layer: int) -> str:
        """Add what a layer reads: (1, tokens, width)."""
        if layer:
            return self.builder.input(_name(layer), np.float32, [1, "tokens", self.shape.width])
        return self._embed(self.builder.input("token_ids", np.int64, ["tokens"]))

    def _embed(self, tokens: str) -> str:
        """Look up tokens and positions: (1, tokens, width). The table of tokens is in half precision if quantized."""
        builder, table = self.builder, self.weights[TOKEN_EMBEDDING]
        is_exact = builder.forms.of(TOKEN_EMBEDDING, table.shape) is None
        rows = builder.node("Gather", builder.constant(table if is_exact else table.astype(np.float16)), tokens)
        rows = rows if is_exact else builder.node("Cast", rows, to=FLOAT)
        positions, zero = builder.constant(self.weights[POSITION_EMBEDDING]), integers(builder, 0)
        used = builder.node("Slice", positions, zero, builder.node("Shape", tokens), zero)
        return builder.node("Unsqueeze", builder.node("Add", rows, used), zero)

    def _attention(self, own: str, normed: str) -> str:
        """Attend with capped scores; the scale of the queries is in their weights."""
        builder, size = self.builder, self.shape.head_size
        queries, values = (self._heads(f"{own}{name}", normed, size, [0, 2, 1, 3]) for name in "qv")
        scores = builder.node("MatMul", queries, self._heads(f"{own}k", normed, size, [0, 2, 3, 1]))
        small = builder.node("Mul", scores, scalar(builder, 1 / SCORE_CAP))
        capped = builder.node("Mul", builder.node("Tanh", small), scalar(builder, SCORE_CAP))
        return self._linear(f"{own}post", self._attended(capped, values, self.shape.attention_size))

    def _pool(self, normed: str) -> str:
        """Attend from one learned query to all tokens, neither scaled nor capped: (1, 1, width)."""
        builder, size = self.builder, self.shape.pooler_size
        query = builder.constant(self.weights["pooler.query"].reshape(1, self.shape.num_heads, 1, size))
        scores = builder.node("MatMul", query, self._heads("pooler.key", normed, size, [0, 2, 3, 1]))
        values = self._heads("pooler.value", normed, size, [0, 2, 1, 3])
        return self._linear("pooler.post", self._attended(scores, values, self.shape.pooled_size))

    def _attended(self, scores: str, values: str, width: int) -> str:
        attended = self.builder.node("MatMul", self.builder.node("Softmax", scores, axis=-1), values)
        return reshape(self.builder, self.builder.node("Transpose", attended, perm=[0, 2, 1, 3]), 1, -1, width)

    def _heads(self, name: str, x: str, size: int, order: list[int]) -> str:
        apart = reshape(self.builder, self._linear(name, x), 1, -1, self.shape.num_heads, size)
        return self.builder.node("Transpose", apart, perm=order)

    def _linear(self, name: str, x: str) -> str:
        return self.builder.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], layer=name)

    def _norm(self, name: str) -> tuple[str, str]:
        scale, bias = (self.builder.constant(self.weights[f"{name}.{part}"]) for part in ("scale", "bias"))
        return scale, bias


def _name(layer: int) -> str:
    """Return the name of the states that a layer reads, from the second on."""
    return f"states_{layer}"
