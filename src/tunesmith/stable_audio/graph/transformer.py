"""The diffusion transformer of Stable Audio 3 as a graph, run once a step.

    latents (rows, latents, channels)          rows of a batch: pieces of one length, or the branches of guidance
    time (1, 256)                              Fourier features of the noise level
    global_condition (1, hidden)               of all rows alike
    cross_key_i, cross_value_i (rows, keys, hidden) and key_bias (rows, 1, 1, keys), added to the scores
    local_i (1 or rows, memory + latents, hidden)
    -> velocity (rows, latents, channels)

Between attentions, the positions of all rows are one axis, (rows x positions, hidden): the memory tokens of a row, then
its latents. The convolutions of kernel 1 around the transformer are folded into its projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.feed_forward import add_gated_feed_forward
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import (
    add_and_rms_norm,
    attention,
    expand,
    integers,
    reshape,
    rms_norm,
    scalar,
    silu,
    split,
)
from tunesmith.stable_audio.architecture import FOURIER_FEATURES, StableAudioArchitecture
from tunesmith.stable_audio.graph.conditioning import PREFIX, normed_heads
from tunesmith.stable_audio.graph.transformer_graph import BLOCK_EPSILON, LAYERS, TransformerGraph, gated_weights


def build_transformer(
    builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Mapping[str, NDArray[np.float32]]
) -> None:
    """Build the graph described above. The architecture's transformer is modulated (adaLN) and has memory tokens."""
    _Transformer.begin(builder, architecture, weights, architecture.diffusion.num_memory_tokens).build()


@dataclass(frozen=True, slots=True)
class _Modulation:
    """The values (hidden,) that the global condition gives a sub-layer; ``gain`` has the norm's own gain in it."""

    gain: str
    shift: str
    gate: str


@dataclass(frozen=True, slots=True)
class _Transformer(TransformerGraph):
    """Blocks that the global condition modulates (adaLN), with memory tokens in front."""

    def build(self) -> None:
        """Add the whole transformer; the sum of a sub-layer and the next norm are one fused node."""
        builder, shape = self.builder, self.shape
        condition = self._condition()
        apart = self._project_in()
        hidden, key_bias = self.flat(apart), self.key_bias(apart)
        modulations = [self._modulations(layer, condition) for layer in range(shape.num_layers)]
        normed, update, bias = rms_norm(builder, hidden, modulations[0][0].gain, BLOCK_EPSILON), "", ""
        for layer, (of_attention, of_feed_forward) in enumerate(modulations):
            if layer > 0:
                normed, hidden = add_and_rms_norm(builder, hidden, update, of_attention.gain, BLOCK_EPSILON, bias)
            update = self._self_attention(layer, normed, of_attention)
            gain = builder.constant(self._layer(layer, "cross_attend_norm.gamma"))
            normed, hidden = add_and_rms_norm(builder, hidden, update, gain, BLOCK_EPSILON)
            update = self._add_local(layer, self.cross_attention(layer, normed, key_bias))
            normed, hidden = add_and_rms_norm(builder, hidden, update, of_feed_forward.gain, BLOCK_EPSILON)
            update, bias = self._feed_forward(layer, normed, of_feed_forward)
        self.project_out(builder.node("Add", builder.node("Add", hidden, update), bias))

    def _condition(self) -> str:
        """Add the noise level to the global condition: (1, 6 hidden), what all layers share."""
        builder = self.builder
        time = builder.input("time", np.float32, [1, FOURIER_FEATURES])
        fixed = builder.input("global_condition", np.float32, [1, self.shape.hidden_size])
        embedded = self._two_layers("to_timestep_embed", time)
        return self._two_layers("transformer.global_cond_embedder", builder.node("Add", fixed, embedded))

    def _two_layers(self, name: str, x: str) -> str:
        return self._exact(f"{name}.2", silu(self.builder, self._exact(f"{name}.0", x)))

    def _exact(self, name: str, x: str) -> str:
        weight, bias = (self.weights[f"{PREFIX}{name}.{part}"] for part in ("weight", "bias"))
        return self.builder.exact_linear(x, weight, bias)

    def _modulations(self, layer: int, condition: str) -> tuple[_Modulation, _Modulation]:
        """Return the modulation of self-attention and of the feed-forward layer."""
        builder, one = self.builder, scalar(self.builder, 1)
        own = builder.constant(self._layer(layer, "to_scale_shift_gate")[None])
        parts = split(builder, reshape(builder, builder.node("Add", condition, own), -1), 6)
        found = []
        for name, (scale, shift, gate) in (("pre_norm", parts[:3]), ("ff_norm", parts[3:])):
            norm = builder.constant(self._layer(layer, f"{name}.gamma"))
            # The norm's own gain goes into the scale, which saves a product for every position.
            gain = builder.node("Mul", builder.node("Add", scale, one), norm)
            # The gate is sigmoid(1 - gate): open for the most part where the condition says nothing.
            found.append(_Modulation(gain, shift, builder.node("Sigmoid", builder.node("Sub", one, gate))))
        return found[0], found[1]

    def _project_in(self) -> str:
        """Put the memory tokens in front of the latents: (rows, memory + latents, hidden)."""
        builder = self.builder
        weight = self.weights[f"{PREFIX}transformer.project_in.weight"] @ self.around("preprocess_conv")
        hidden = builder.exact_linear(self.latents, weight)
        memory = builder.constant(self.weights[f"{PREFIX}transformer.memory_tokens"][None])
        repeated = expand(builder, memory, self.rows, integers(builder, 1, 1))
        return builder.node("Concat", repeated, hidden, axis=1)

    def _self_attention(self, layer: int, normed: str, modulation: _Modulation) -> str:
        builder, shape = self.builder, self.shape
        shifted = builder.node("Add", normed, modulation.shift)
        thirds = np.split(self._layer(layer, "self_attn.to_qkv.weight"), 3)
        queries, keys, values = (
            builder.linear(shifted, weight, layer=f"{LAYERS}{layer}.self_attn.to_qkv") for weight in thirds
        )
        queries, keys = (
            self.rotary.turn(builder, self.normed_heads(f"{layer}.self_attn.{name}_norm", part))
            for name, part in (("q", queries), ("k", keys))
        )
        attended = self.flat(attention(builder, queries, keys, self.apart(values), shape.num_heads))
        return self.linear(layer, "self_attn.to_out", attended, gain=modulation.gate)

    def _add_local(self, layer: int, update: str) -> str:
        # Text to audio has a local condition as well, that of nothing kept; diffusers leaves it out.
        local = self.builder.input(f"local_{layer}", np.float32, ["local_rows", "positions", self.shape.hidden_size])
        return self.flat(self.builder.node("Add", self.apart(update), local))

    def _feed_forward(self, layer: int, normed: str, modulation: _Modulation) -> tuple[str, str]:
        """Return the update without its bias, and the bias."""
        builder = self.builder
        shifted = builder.node("Add", normed, modulation.shift)
        stem = f"{LAYERS}{layer}.ff.ff."
        update = add_gated_feed_forward(builder, shifted, gated_weights(self.weights, stem), gain=modulation.gate)
        return update, builder.node("Mul", builder.constant(self._layer(layer, "ff.ff.2.bias")), modulation.gate)

    def normed_heads(self, name: str, x: str) -> str:
        """Norm each head of queries or keys: (rows, positions, hidden)."""
        normed = normed_heads(self.builder, self.shape, x, self.weights[f"{LAYERS}{name}.gamma"])
        return self.apart(normed)

    def _layer(self, layer: int, name: str) -> NDArray[np.float32]:
        return self.weights[f"{LAYERS}{layer}.{name}"]
