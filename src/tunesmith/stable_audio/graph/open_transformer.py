"""The diffusion transformer of Stable Audio Open as a graph, run once a step.

    latents (rows, latents, channels)          rows of a batch: pieces of one length, or the branches of guidance
    noise_level (1,)                           0 to 1; its Fourier features are learned
    global_condition (1, hidden)               of all rows alike
    cross_key_i, cross_value_i (rows, keys, hidden) and key_bias (rows, 1, 1, keys), added to the scores
    -> velocity (rows, latents, channels)

The global condition and the noise level make one token in front of the latents. Between attentions, the positions of
all rows are one axis, (rows x positions, hidden). The convolutions of kernel 1 around the transformer are folded into
its projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.feed_forward import add_gated_feed_forward
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import (
    add_and_layer_norm,
    attention,
    expand,
    integers,
    layer_norm,
    reshape,
    silu,
)
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.graph.conditioning import PREFIX
from tunesmith.stable_audio.graph.open_conditioning import layer_normed_heads, turns
from tunesmith.stable_audio.graph.transformer_graph import BLOCK_EPSILON, LAYERS, TransformerGraph, gated_weights

NORMS = ("pre_norm", "cross_attend_norm", "ff_norm")


def build_open_transformer(
    builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Mapping[str, NDArray[np.float32]]
) -> None:
    """Build the graph described above. The architecture's transformer has no memory tokens."""
    _OpenTransformer.begin(builder, architecture, weights, num_in_front=1).build()


@dataclass(frozen=True, slots=True)
class _OpenTransformer(TransformerGraph):
    """Blocks with the global condition as a token in front."""

    def build(self) -> None:
        """Add the whole transformer; the sum of a sub-layer and the next norm are one fused node."""
        builder = self.builder
        apart = self._project_in()
        key_bias = self.key_bias(apart)
        hidden, update, bias = self.flat(apart), "", ""
        for layer in range(self.shape.num_layers):
            norms = [(self._constant(layer, f"{name}.gamma"), self._constant(layer, f"{name}.beta")) for name in NORMS]
            if layer == 0:
                normed = layer_norm(builder, hidden, *norms[0], BLOCK_EPSILON)
            else:
                normed, hidden = add_and_layer_norm(builder, hidden, update, norms[0], BLOCK_EPSILON, bias)
            update = self._self_attention(layer, normed)
            normed, hidden = add_and_layer_norm(builder, hidden, update, norms[1], BLOCK_EPSILON)
            update = self.cross_attention(layer, normed, key_bias)
            normed, hidden = add_and_layer_norm(builder, hidden, update, norms[2], BLOCK_EPSILON)
            update, bias = self._feed_forward(layer, normed), self._constant(layer, "ff.ff.2.bias")
        self.project_out(builder.node("Add", builder.node("Add", hidden, update), bias))

    def _front_token(self) -> str:
        """Add the token in front: (1, hidden)."""
        builder = self.builder
        level = reshape(builder, builder.input("noise_level", np.float32, [1]), 1, 1)
        frequencies = builder.constant(turns(self.weights[f"{PREFIX}timestep_features.weight"]))
        angles = builder.node("Mul", level, frequencies)
        # Cosines first here, unlike the features of the seconds.
        features = builder.node("Concat", builder.node("Cos", angles), builder.node("Sin", angles), axis=1)
        inner = silu(builder, self._timestep_layer(0, features))
        fixed = builder.input("global_condition", np.float32, [1, self.shape.hidden_size])
        return builder.node("Add", fixed, self._timestep_layer(2, inner))

    def _timestep_layer(self, number: int, x: str) -> str:
        weight, bias = (self.weights[f"{PREFIX}to_timestep_embed.{number}.{part}"] for part in ("weight", "bias"))
        return self.builder.exact_linear(x, weight, bias)

    def _project_in(self) -> str:
        """Put the token in front of the latents: (rows, 1 + latents, hidden)."""
        builder = self.builder
        weight = self.weights[f"{PREFIX}transformer.project_in.weight"] @ self.around("preprocess_conv")
        front = reshape(builder, self._front_token(), 1, 1, -1)
        repeated = expand(builder, front, self.rows, integers(builder, 1, 1))
        return builder.node("Concat", repeated, builder.exact_linear(self.latents, weight), axis=1)

    def _self_attention(self, layer: int, normed: str) -> str:
        builder, shape = self.builder, self.shape
        name = f"{LAYERS}{layer}.self_attn.to_qkv"
        thirds = np.split(self.weights[f"{name}.weight"], 3)
        queries, keys, values = (builder.linear(normed, weight, layer=name) for weight in thirds)
        queries, keys = (
            self.rotary.turn(builder, self.normed_heads(f"{layer}.self_attn.{kind}_norm", part))
            for kind, part in (("q", queries), ("k", keys))
        )
        attended = attention(builder, queries, keys, self.apart(values), shape.num_heads)
        return self.linear(layer, "self_attn.to_out", self.flat(attended))

    def _feed_forward(self, layer: int, normed: str) -> str:
        """Return the update without its bias."""
        stem = f"{LAYERS}{layer}.ff.ff."
        return add_gated_feed_forward(self.builder, normed, gated_weights(self.weights, stem))

    def normed_heads(self, name: str, x: str) -> str:
        """Norm each head of queries or keys, where the model does that: (rows, positions, hidden)."""
        if self.shape.qk_norm == "ln":
            x = layer_normed_heads(self.builder, self.shape, x, self.weights, f"{LAYERS}{name}")
        return self.apart(x)

    def _constant(self, layer: int, name: str) -> str:
        return self.builder.constant(self.weights[f"{LAYERS}{layer}.{name}"])
