"""MusicCoCa's mapper as a graph for each layer: the embedding of a text and noise in, that of a recording out.

    text (width,), noise (width,) -> tokens (tokens, width of a token) -> … -> mapped (width,)

The noise becomes a few tokens. Each layer's norms are scaled and shifted by what a learned context and the text say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.model_folder import MAPPED, MAPPER
from tunesmith.magenta_rt.style.shapes import EPSILON, MAPPER_SCORE_CAP, MapperShape
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.graph_chain import part_path
from tunesmith.neural.transformer_nodes import RotaryPositions, integers, reshape, rms_norm, scalar, split

FLOAT = 1
"""ONNX's number of the type float32."""


def build_mapper(folder: Path, shape: MapperShape, weights: Mapping[str, NDArray[np.float32]], *, exact: bool) -> None:
    """Build the chain described above in a folder.

    The names of the weights are those of ``checkpoint.mapper``. Unless ``exact``, they are kept in float16, and widened
    as the graphs run.
    """
    for layer in range(shape.num_layers):
        with GraphBuilder(part_path(folder, MAPPER, layer)) as builder:
            rotary = RotaryPositions.up_to(builder, shape.num_tokens, shape.num_heads, shape.head_size)
            _MapperNodes(builder, shape, weights, rotary, exact).build(layer)


@dataclass(frozen=True, slots=True)
class _MapperNodes:
    builder: GraphBuilder
    shape: MapperShape
    weights: Mapping[str, NDArray[np.float32]]
    rotary: RotaryPositions
    exact: bool

    def build(self, layer: int) -> None:
        """Add a layer, and the projection of the noise before the first or of the result after the last."""
        builder, shape = self.builder, self.shape
        text = builder.input("text", np.float32, [shape.text_width])
        context = builder.constant(self.weights["context"])
        modulation = reshape(builder, builder.node("Concat", context, context, text, axis=0), 1, -1)
        if layer:
            tokens = builder.input(_tokens(layer), np.float32, [shape.num_tokens, shape.width])
        else:
            noise = reshape(builder, builder.input("noise", np.float32, [shape.text_width]), 1, -1)
            tokens = reshape(builder, self._linear("input", noise), -1, shape.width)
        tokens = self._layer(f"layers.{layer}.", tokens, modulation)
        if layer + 1 < shape.num_layers:
            builder.nodes("Identity", [tokens], [_tokens(layer + 1)])
            builder.output(_tokens(layer + 1), np.float32, [shape.num_tokens, shape.width])
            return
        mapped = self._linear("output", reshape(builder, tokens, 1, -1))
        builder.nodes("Reshape", [mapped, integers(builder, -1)], [MAPPED])
        builder.output(MAPPED, np.float32, [shape.text_width])

    def _layer(self, own: str, tokens: str, modulation: str) -> str:
        builder = self.builder
        tokens = builder.node("Add", tokens, self._attention(own, self._modulated(own, 1, tokens, modulation)))
        inner = self._linear(f"{own}ffn1", self._modulated(own, 2, tokens, modulation))
        return builder.node("Add", tokens, self._linear(f"{own}ffn2", builder.node("Gelu", inner, approximate="tanh")))

    def _modulated(self, own: str, number: int, tokens: str, modulation: str) -> str:
        """Add an RMS norm whose gain and shift depend on the text."""
        builder = self.builder
        gain, shift = split(builder, self._linear(f"{own}cond{number}", modulation), 2)
        scale = builder.constant(self.weights[f"{own}norm{number}.scale"])
        # The gain that the text gives is an offset from 1.
        normed = rms_norm(builder, tokens, scale, EPSILON)
        return builder.node("Add", builder.node("Mul", normed, builder.node("Add", gain, scalar(builder, 1))), shift)

    def _attention(self, own: str, normed: str) -> str:
        """Attend to all tokens and to a learned sink, whose query is not scaled."""
        builder, shape = self.builder, self.shape
        fused = self._stored(self.weights[f"{own}qkv"].reshape(shape.width, -1))
        queries, keys, values = split(builder, builder.node("MatMul", normed, fused), 3)
        queries, keys = (
            self.rotary.turn(builder, builder.node("Unsqueeze", part, integers(builder, 0))) for part in (queries, keys)
        )
        sink_key, sink_value = (self.weights[f"{own}sink_{name}"] for name in ("key", "value"))
        queries = self._heads(queries, [1, 0, 2])
        to_sink = builder.node("MatMul", queries, builder.constant(sink_key.transpose(1, 2, 0)))
        to_tokens = builder.node("MatMul", queries, self._heads(keys, [1, 2, 0]))
        scaled = builder.node("Mul", to_tokens, scalar(builder, shape.head_size**-0.5))
        scores = builder.node("Concat", to_sink, scaled, axis=2)
        small = builder.node("Tanh", builder.node("Mul", scores, scalar(builder, 1 / MAPPER_SCORE_CAP)))
        shares = builder.node("Softmax", builder.node("Mul", small, scalar(builder, MAPPER_SCORE_CAP)), axis=-1)
        seen = builder.node(
            "Concat", builder.constant(sink_value.transpose(1, 0, 2)), self._heads(values, [1, 0, 2]), axis=1
        )
        attended = builder.node("Transpose", builder.node("MatMul", shares, seen), perm=[1, 0, 2])
        post = self.weights[f"{own}post"].reshape(shape.width, -1)
        return builder.node("MatMul", reshape(builder, attended, shape.num_tokens, -1), self._stored(post.T))

    def _heads(self, x: str, order: list[int]) -> str:
        apart = reshape(self.builder, x, -1, self.shape.num_heads, self.shape.head_size)
        return self.builder.node("Transpose", apart, perm=order)

    def _linear(self, name: str, x: str) -> str:
        """Multiply by a weight (inputs, …), flattened, and add the bias."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        product = self.builder.node("MatMul", x, self._stored(weight.reshape(len(weight), -1)))
        return self.builder.node("Add", product, self.builder.constant(bias.reshape(-1)))

    def _stored(self, weight: NDArray[np.float32]) -> str:
        if self.exact:
            return self.builder.constant(weight)
        return self.builder.node("Cast", self.builder.constant(weight.astype(np.float16)), to=FLOAT)


def _tokens(layer: int) -> str:
    """Return the name of the tokens that a layer reads, between two parts."""
    return f"tokens_{layer}"
