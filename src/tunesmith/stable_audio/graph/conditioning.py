"""What is computed once a piece for the transformer of Stable Audio 3, as two graphs.

    conditioning   states, features of the seconds -> keys and values of every layer's cross-attention, global condition
    local          mask and kept latents           -> what every layer adds to the latents (inpainting)

A prompt is padded to its full length with one learned vector. Cross-attention knows no order and masks nothing, so the
padding is one key: whoever runs the transformer adds the logarithm of its number to its scores. ``padding_gain`` is 1
for the learned vector and 0 for zeros, which stand in its place in a negative prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import integers, reshape, rms_norm, silu, split
from tunesmith.stable_audio.architecture import FOURIER_FEATURES, DiffusionShape, StableAudioArchitecture

PREFIX, CONDITIONER = "diffusion.", "conditioner."
HEAD_EPSILON = 1e-6

Weights = Mapping[str, NDArray[np.float32]]


def build_conditioning(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build ``states`` (tokens, width), ``features`` (numbers, 256), ``padding_gain`` (1,) -> keys, values, global.

    ``cross_key_i`` and ``cross_value_i`` are (1, tokens + 1 + numbers, hidden): the tokens, the padding, the numbers.
    ``global_condition`` (1, hidden) is the part that does not depend on the noise level.
    """
    _Conditioning(builder, architecture, weights).build()


def build_local_condition(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build ``kept`` (latents, 1 + channels), the mask first -> ``local_i`` (1, memory + latents, hidden).

    Memory tokens get nothing: their rows are 0.
    """
    shape = architecture.diffusion
    kept = builder.input("kept", np.float32, ["latents", shape.local_width])
    for layer in range(shape.num_layers):
        name = f"{PREFIX}transformer.layers.{layer}.to_local_embed."
        inner = silu(builder, _biased(builder, weights, f"{name}0", kept))
        rows = _biased(builder, weights, f"{name}2", inner)
        padded = builder.node("Pad", rows, integers(builder, shape.num_memory_tokens, 0, 0, 0))
        builder.nodes("Unsqueeze", [padded, integers(builder, 0)], [f"local_{layer}"])
        builder.output(f"local_{layer}", np.float32, [1, "positions", shape.hidden_size])


def project_context(builder: GraphBuilder, weights: Weights, context: str) -> str:
    """Bring the context (keys, width) to the width of the keys; rows of zeros stay zeros."""
    first, second = f"{PREFIX}to_cond_embed.0", f"{PREFIX}to_cond_embed.2"
    inner = silu(builder, builder.linear(context, weights[f"{first}.weight"], layer=first))
    return builder.linear(inner, weights[f"{second}.weight"], layer=second)


def add_global_condition(builder: GraphBuilder, shape: DiffusionShape, weights: Weights, numbers: str) -> None:
    """Add the output ``global_condition`` (1, hidden): the embedded numbers (numbers, width) in one row, projected."""
    joined = reshape(builder, numbers, 1, -1)
    inner = silu(builder, builder.exact_linear(joined, weights[f"{PREFIX}to_global_embed.0.weight"]))
    projected = builder.exact_linear(inner, weights[f"{PREFIX}to_global_embed.2.weight"])
    builder.nodes("Identity", [projected], ["global_condition"])
    builder.output("global_condition", np.float32, [1, shape.hidden_size])


def normed_heads(builder: GraphBuilder, shape: DiffusionShape, x: str, gain: NDArray[np.float32]) -> str:
    """Norm each head of queries or keys by its root mean square; the result is (rows x heads, head)."""
    return rms_norm(builder, reshape(builder, x, -1, shape.head_size), builder.constant(gain), HEAD_EPSILON)


def _biased(builder: GraphBuilder, weights: Weights, layer: str, x: str) -> str:
    return builder.linear(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"], layer=layer)


@dataclass(frozen=True, slots=True)
class _Conditioning:
    builder: GraphBuilder
    architecture: StableAudioArchitecture
    weights: Weights

    def build(self) -> None:
        numbers = self._numbers()
        context = project_context(self.builder, self.weights, self._context(numbers))
        for layer in range(self.architecture.diffusion.num_layers):
            self._keys_and_values(layer, context)
        add_global_condition(self.builder, self.architecture.diffusion, self.weights, numbers)

    def _numbers(self) -> str:
        """Embed the features of each number: (numbers, width)."""
        builder, numbers = self.builder, self.architecture.numbers
        features = builder.input("features", np.float32, [len(numbers), FOURIER_FEATURES])
        rows = split(builder, features, len(numbers), 0) if len(numbers) > 1 else [features]
        embedded = []
        for number, row in zip(numbers, rows, strict=True):
            name = f"{CONDITIONER}{number.name}.embedder.embedding.1"
            embedded.append(builder.exact_linear(row, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]))
        return builder.node("Concat", *embedded, axis=0)

    def _context(self, numbers: str) -> str:
        builder, width = self.builder, self.architecture.diffusion.condition_width
        states = builder.input("states", np.float32, ["tokens", width])
        learned = builder.constant(self.weights[f"{CONDITIONER}prompt.padding_embedding"][None])
        padding = builder.node("Mul", learned, builder.input("padding_gain", np.float32, [1]))
        return builder.node("Concat", states, padding, numbers, axis=0)

    def _keys_and_values(self, layer: int, context: str) -> None:
        builder, shape = self.builder, self.architecture.diffusion
        name = f"{PREFIX}transformer.layers.{layer}.cross_attn."
        weight = self.weights[f"{name}to_kv.weight"]
        both = builder.linear(context, weight, layer=f"{name}to_kv")
        keys, values = split(builder, both, 2)
        keys = normed_heads(builder, shape, keys, self.weights[f"{name}k_norm.gamma"])
        for kind, part in (("key", keys), ("value", values)):
            target = [f"cross_{kind}_{layer}"]
            builder.nodes("Reshape", [part, integers(builder, 1, -1, shape.hidden_size)], target)
            builder.output(target[0], np.float32, [1, "keys", shape.hidden_size])
