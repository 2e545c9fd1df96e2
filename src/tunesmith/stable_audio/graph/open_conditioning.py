"""What is computed once a piece for the transformer of Stable Audio Open, as two graphs.

    text encoder   token ids -> states of T5
    conditioning   states, numbers -> keys and values of every layer's cross-attention, global condition

A prompt is padded to its full length with zeros. Cross-attention knows no order and masks nothing, so the padding is
one key: whoever runs the transformer adds the logarithm of its number to its scores. A key of zeros is not neutral: the
norm of Stable Audio Open Small turns it into the norm's shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.t5 import T5Shape
from tunesmith.neural.t5_encoder import add_t5_encoder
from tunesmith.neural.transformer_nodes import integers, layer_norm, reshape, split
from tunesmith.stable_audio.architecture import DiffusionShape, StableAudioArchitecture
from tunesmith.stable_audio.graph.conditioning import (
    CONDITIONER,
    HEAD_EPSILON,
    PREFIX,
    add_global_condition,
    project_context,
)

Weights = Mapping[str, NDArray[np.float32]]


def build_open_text_encoder(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build ``token_ids`` (1, tokens) -> ``states`` (tokens, width) of T5."""
    shape = architecture.text_encoder
    assert isinstance(shape, T5Shape)
    builder.nodes("Identity", [add_t5_encoder(builder, shape, weights)], ["states"])
    builder.output("states", np.float32, ["tokens", shape.hidden_size])


def build_open_conditioning(builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Weights) -> None:
    """Build ``states`` (tokens, width) and ``numbers`` (numbers,), scaled to 0 to 1 -> keys, values, global condition.

    ``cross_key_i`` and ``cross_value_i`` are (1, tokens + 1 + numbers, hidden): the tokens, the padding, the numbers.
    ``global_condition`` (1, hidden) is the part of the token in front that does not depend on the noise level.
    """
    _OpenConditioning(builder, architecture, weights).build()


def layer_normed_heads(builder: GraphBuilder, shape: DiffusionShape, x: str, weights: Weights, name: str) -> str:
    """Apply the layer norm of this name to each head of queries or keys; the result is (rows x heads, head)."""
    gain, shift = (builder.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return layer_norm(builder, reshape(builder, x, -1, shape.head_size), gain, shift, HEAD_EPSILON)


@dataclass(frozen=True, slots=True)
class _OpenConditioning:
    builder: GraphBuilder
    architecture: StableAudioArchitecture
    weights: Weights

    def build(self) -> None:
        builder, width = self.builder, self.architecture.diffusion.condition_width
        numbers = self._numbers()
        states = builder.input("states", np.float32, ["tokens", width])
        padding = builder.constant(np.zeros((1, width), np.float32))
        context = builder.node("Concat", states, padding, numbers, axis=0)
        projected = project_context(builder, self.weights, context)
        for layer in range(self.architecture.diffusion.num_layers):
            self._keys_and_values(layer, projected)
        add_global_condition(builder, self.architecture.diffusion, self.weights, numbers)

    def _numbers(self) -> str:
        """Embed each number: (numbers, width)."""
        builder, numbers = self.builder, self.architecture.numbers
        values = builder.input("numbers", np.float32, [len(numbers)])
        columns = reshape(builder, values, len(numbers), 1)
        rows = split(builder, columns, len(numbers), 0) if len(numbers) > 1 else [columns]
        embedded = []
        for number, value in zip(numbers, rows, strict=True):
            name = f"{CONDITIONER}{number.name}.embedder.embedding."
            angles = builder.node("Mul", value, builder.constant(turns(self.weights[f"{name}0.weights"])))
            waves = [builder.node(wave, angles) for wave in ("Sin", "Cos")]
            # The number itself, sines, cosines; the noise level's features have their cosines first.
            features = builder.node("Concat", value, *waves, axis=1)
            layer = [self.weights[f"{name}1.{part}"] for part in ("weight", "bias")]
            embedded.append(builder.exact_linear(features, *layer))
        return builder.node("Concat", *embedded, axis=0)

    def _keys_and_values(self, layer: int, context: str) -> None:
        builder, shape = self.builder, self.architecture.diffusion
        name = f"{PREFIX}transformer.layers.{layer}.cross_attn."
        both = builder.linear(context, self.weights[f"{name}to_kv.weight"], layer=f"{name}to_kv")
        keys, values = split(builder, both, 2)
        if shape.qk_norm == "ln":
            keys = layer_normed_heads(builder, shape, keys, self.weights, f"{name}k_norm")
        for kind, part in (("key", keys), ("value", values)):
            target = [f"cross_{kind}_{layer}"]
            builder.nodes("Reshape", [self._repeat(part), integers(builder, 1, -1, shape.hidden_size)], target)
            builder.output(target[0], np.float32, [1, "keys", shape.hidden_size])

    def _repeat(self, x: str) -> str:
        """Repeat each head for the query heads that share it."""
        builder, shape = self.builder, self.architecture.diffusion
        shared = shape.num_heads // shape.num_key_heads
        if shared == 1:
            return x
        # Query head h reads key head h // shared, so each is repeated next to itself.
        apart = reshape(builder, x, -1, shape.num_key_heads, 1, shape.head_size)
        return builder.node("Tile", apart, integers(builder, 1, 1, shared, 1))


def turns(frequencies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return learned frequencies as one row of angles in radians."""
    return frequencies.reshape(1, -1) * np.float32(2 * pi)
