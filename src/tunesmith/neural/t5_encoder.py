"""T5's encoder as nodes of a graph: token ids (1, tokens) to states (tokens, hidden).

The graph encodes one text at a time, so it needs no padding or mask. T5 uses RMS norms, does not scale its attention
scores, and encodes positions by distance only: each layer adds the same bias to its scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import MICROSOFT, GraphBuilder
from tunesmith.neural.t5 import EMBEDDING, PREFIX, T5Shape, relative_buckets


def add_t5_encoder(builder: GraphBuilder, shape: T5Shape, weights: Mapping[str, NDArray[np.float32]]) -> str:
    """Add the input ``token_ids`` (1, tokens) and T5's encoder; return the name of its states (tokens, hidden)."""
    encoded = _Encoder(builder, shape, weights).build()
    return builder.node("Squeeze", encoded, builder.constant(np.array([0], np.int64)))


@dataclass(frozen=True, slots=True)
class _Encoder:
    builder: GraphBuilder
    shape: T5Shape
    weights: Mapping[str, NDArray[np.float32]]

    def build(self) -> str:
        """Add the whole encoder; the sum of a sub-layer and the next norm are one fused node."""
        builder, shape = self.builder, self.shape
        builder.input("token_ids", np.int64, [1, "tokens"])
        residual = builder.node("Gather", builder.constant(self.weights[EMBEDDING]), "token_ids")
        bias = self._distance_bias()
        first = builder.constant(self.weights[f"{PREFIX}block.0.layer.0.layer_norm.weight"])
        normed = builder.node("SimplifiedLayerNormalization", residual, first, axis=-1, epsilon=shape.epsilon)
        for layer in range(shape.num_layers):
            prefix = f"{PREFIX}block.{layer}."
            attended = self._attention(f"{prefix}layer.0.SelfAttention.", normed, bias)
            normed, residual = self._add_and_norm(residual, attended, f"{prefix}layer.1.layer_norm")
            forward = self._feed_forward(f"{prefix}layer.1.DenseReluDense.", normed)
            is_last = layer + 1 == shape.num_layers
            following = "final_layer_norm" if is_last else f"block.{layer + 1}.layer.0.layer_norm"
            normed, residual = self._add_and_norm(residual, forward, f"{PREFIX}{following}")
        return normed

    def _distance_bias(self) -> str:
        """Add the bias of the attention scores of every layer: (1, heads, tokens, tokens)."""
        builder, farthest = self.builder, self.shape.relative_max_distance
        # The distances from -max to max are a small table, so the logarithm is computed once, at build time.
        by_bucket = self.weights[f"{PREFIX}block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        by_distance = builder.constant(by_bucket[relative_buckets(self.shape)].T[None])
        zero, one, low, high = (builder.constant(np.array(value, np.int64)) for value in (0, 1, -farthest, farthest))
        tokens = builder.node("Squeeze", builder.node("Shape", "token_ids", start=1, end=2))
        keys = builder.node("Range", zero, tokens, one)
        queries = builder.node("Unsqueeze", keys, builder.constant(np.array([1], np.int64)))
        distances = builder.node("Clip", builder.node("Sub", keys, queries), low, high)
        return builder.node("Gather", by_distance, builder.node("Add", distances, high), axis=2)

    def _attention(self, prefix: str, normed: str, bias: str) -> str:
        builder, shape = self.builder, self.shape
        # Fused: one product for query, key and value reads the input once.
        fused = builder.linear(normed, np.concatenate([self.weights[f"{prefix}{name}.weight"] for name in "qkv"]))
        parts = builder.nodes("Split", [fused], [None, None, None], axis=-1, num_outputs=3)
        # T5 does not scale its scores, and the node would by default.
        attended = builder.node(
            "MultiHeadAttention", *parts, "", "", bias, domain=MICROSOFT, num_heads=shape.num_heads, scale=1.0
        )
        return builder.linear(attended, self.weights[f"{prefix}o.weight"])

    def _feed_forward(self, prefix: str, normed: str) -> str:
        builder = self.builder
        if self.shape.gated:
            fused = builder.linear(normed, np.concatenate([self.weights[f"{prefix}wi_{i}.weight"] for i in (0, 1)]))
            gate, values = builder.nodes("Split", [fused], [None, None], axis=-1, num_outputs=2)
            active = builder.node("Mul", self._activation(gate), values)
        else:
            active = self._activation(builder.linear(normed, self.weights[f"{prefix}wi.weight"]))
        return builder.linear(active, self.weights[f"{prefix}wo.weight"])

    def _activation(self, x: str) -> str:
        if self.shape.activation == "relu":
            return self.builder.node("Relu", x)
        approximate = "tanh" if self.shape.activation == "gelu_new" else "none"
        return self.builder.node("Gelu", x, approximate=approximate)

    def _add_and_norm(self, residual: str, added: str, name: str) -> tuple[str, str]:
        """Return the norm of the sum, and the sum."""
        inputs = [residual, added, self.builder.constant(self.weights[f"{name}.weight"])]
        normed, _, _, total = self.builder.nodes(
            "SkipSimplifiedLayerNormalization", inputs, [None, "", "", None], domain=MICROSOFT,
            epsilon=self.shape.epsilon,
        )  # fmt: skip
        return normed, total
