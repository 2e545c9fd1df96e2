"""T5Gemma's encoder as a graph: ``token_ids`` (tokens,) -> ``states`` (tokens, hidden).

One text at a time, so that nothing is padded or masked. The norms' weights are stored as offsets from 1, and a layer
norms its updates as well as its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import quantize_rows
from tunesmith.neural.transformer_nodes import (
    RotaryPositions,
    add_and_rms_norm,
    integers,
    reshape,
    rms_norm,
    scalar,
)
from tunesmith.stable_audio.architecture import StableAudioArchitecture, T5GemmaShape

PREFIX = "text_encoder."
EMBEDDING = f"{PREFIX}embed_tokens"
FLOAT = 1
"""ONNX's number of the type float32."""
CHUNK = 16_384
"""Rows of the embedding quantized at a time."""


def build_text_encoder(
    builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Mapping[str, NDArray[np.float32]]
) -> None:
    """Build the graph described above. The architecture's text encoder is T5Gemma."""
    shape = architecture.text_encoder
    assert isinstance(shape, T5GemmaShape)
    tokens = builder.input("token_ids", np.int64, ["tokens"])
    rotary = RotaryPositions.up_to(builder, architecture.max_tokens, shape.num_heads, shape.head_size, shape.rope_theta)
    _Gemma(builder, shape, weights, rotary).build(tokens)


@dataclass(frozen=True, slots=True)
class _Gemma:
    builder: GraphBuilder
    shape: T5GemmaShape
    weights: Mapping[str, NDArray[np.float32]]
    rotary: RotaryPositions

    def build(self, tokens: str) -> None:
        """Add all layers; the sum of a sub-layer and the next norm are one fused node."""
        residual = self._embed(tokens)
        normed = rms_norm(self.builder, residual, self._gain("layers.0.pre_self_attn_layernorm"), self.shape.epsilon)
        for layer in range(self.shape.num_layers):
            prefix = f"layers.{layer}."
            update = self._norm(self._attention(prefix, normed), f"{prefix}post_self_attn_layernorm")
            normed, residual = self._add_and_norm(residual, update, f"{prefix}pre_feedforward_layernorm")
            update = self._norm(self._feed_forward(prefix, normed), f"{prefix}post_feedforward_layernorm")
            is_last = layer + 1 == self.shape.num_layers
            following = "norm" if is_last else f"layers.{layer + 1}.pre_self_attn_layernorm"
            normed, residual = self._add_and_norm(residual, update, following)
        self.builder.nodes("Identity", [normed], ["states"])
        self.builder.output("states", np.float32, ["tokens", self.shape.hidden_size])

    def _embed(self, tokens: str) -> str:
        """Look the tokens up, and multiply by the root of the width; a quantized row needs one scale."""
        builder, root = self.builder, self.shape.hidden_size**0.5
        table = self.weights[f"{EMBEDDING}.weight"]
        if builder.forms.of(EMBEDDING, table.shape) is None:
            rows = builder.node("Gather", builder.constant(table), tokens)
            return builder.node("Mul", rows, scalar(builder, root))
        codes, scales = _quantize_table(table)
        rows = builder.node("Cast", builder.node("Gather", builder.constant(codes), tokens), to=FLOAT)
        by_row = builder.constant(scales[:, None] * np.float32(root))
        return builder.node("Mul", rows, builder.node("Gather", by_row, tokens))

    def _attention(self, prefix: str, normed: str) -> str:
        """Attend with capped scores, which no fused operator for bidirectional attention offers."""
        builder, shape = self.builder, self.shape
        queries, keys, values = (self._linear(f"{prefix}self_attn.{name}_proj", normed) for name in "qkv")
        queries, keys = (
            self.rotary.turn(builder, builder.node("Unsqueeze", part, integers(builder, 0))) for part in (queries, keys)
        )
        # No sliding window: that of every other layer, 4,096 tokens, is longer than any prompt.
        scores = builder.node("MatMul", self._heads(queries, [1, 0, 2]), self._heads(keys, [1, 2, 0]))
        # Gemma 2 caps scores: c tanh(s / c). One product scales the scores and divides them by c.
        small = builder.node("Mul", scores, scalar(builder, shape.query_scalar**-0.5 / shape.score_cap))
        capped = builder.node("Mul", builder.node("Tanh", small), scalar(builder, shape.score_cap))
        attended = builder.node("MatMul", builder.node("Softmax", capped, axis=-1), self._heads(values, [1, 0, 2]))
        joined = reshape(builder, builder.node("Transpose", attended, perm=[1, 0, 2]), -1, self._width)
        return self._linear(f"{prefix}self_attn.o_proj", joined)

    def _heads(self, x: str, order: list[int]) -> str:
        apart = reshape(self.builder, x, -1, self.shape.num_heads, self.shape.head_size)
        return self.builder.node("Transpose", apart, perm=order)

    def _feed_forward(self, prefix: str, normed: str) -> str:
        gate, values = (self._linear(f"{prefix}mlp.{name}_proj", normed) for name in ("gate", "up"))
        active = self.builder.node("Mul", self.builder.node("Gelu", gate, approximate="tanh"), values)
        return self._linear(f"{prefix}mlp.down_proj", active)

    @property
    def _width(self) -> int:
        return self.shape.num_heads * self.shape.head_size

    def _linear(self, name: str, x: str) -> str:
        layer = PREFIX + name
        return self.builder.linear(x, self.weights[f"{layer}.weight"], layer=layer)

    def _gain(self, name: str) -> str:
        # Gemma stores the gains of its norms as offsets from 1.
        return self.builder.constant(1 + self.weights[f"{PREFIX}{name}.weight"])

    def _norm(self, x: str, name: str) -> str:
        return rms_norm(self.builder, x, self._gain(name), self.shape.epsilon)

    def _add_and_norm(self, residual: str, update: str, name: str) -> tuple[str, str]:
        return add_and_rms_norm(self.builder, residual, update, self._gain(name), self.shape.epsilon)


def _quantize_table(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantize row by row, in chunks: the table of 256,000 tokens fills most of the memory that conversion may take."""
    codes, scales = np.empty(table.shape, np.int8), np.empty(len(table), np.float32)
    for start in range(0, len(table), CHUNK):
        chunk = slice(start, start + CHUNK)
        codes[chunk], scales[chunk] = quantize_rows(table[chunk])
    return codes, scales
