"""The decoder as a graph: states of positions in, logits of the last position out, keys and values kept outside.

The runner looks up the embeddings of the codes, so that codes and the prefix states of a melody model share one input:

    states (rows, positions, hidden) -> logits (rows, codebooks, codebook size)

Each layer reads and extends its own keys and values in place, ``key_i`` and ``value_i`` (rows, heads, capacity, head).
``lengths`` (rows,) is the number of positions of a row including the new ones, minus 1; ``longest`` (1,) is the largest
number including the new ones. With cross-attention, ``cross_key_i`` and ``cross_value_i`` (rows, heads, tokens, head)
are fixed per row, and ``cross_bias`` (rows, 1, positions, tokens) masks the padding of shorter texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture, TransformerShape
from tunesmith.musicgen.checkpoint import Weights
from tunesmith.neural.graph_builder import MICROSOFT, GraphBuilder, Shape

PREFIX = "decoder.model.decoder."
HEADS, FUSED = "decoder.lm_heads", "qkv_proj"
EPSILON = 1e-5


def build_decoder(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build the decoder graph described above."""
    shape = architecture.decoder
    _Decoder(builder, shape, weights, has_cross_attention=architecture.chroma is None).build()


def build_cross_attention(builder: GraphBuilder, architecture: Architecture, weights: Weights) -> None:
    """Build the projection of text states to every layer's cross-attention keys and values.

    ``states`` (tokens, hidden) -> ``keys_and_values`` (2 x layers, heads, tokens, head): keys, then values, layer by
    layer.
    """
    shape = architecture.decoder
    # A separate graph: keys and values of the text are computed once per request, not in each step.
    states = builder.input("states", np.float32, ["tokens", shape.hidden_size])
    layers = [f"{PREFIX}layers.{layer}.encoder_attn.{name}_proj" for layer in range(shape.num_layers) for name in "kv"]
    parts = [builder.linear(states, layer_weight(layer, weights), layer=layer) for layer in layers]
    joined = builder.node("Concat", *parts, axis=1)
    sizes = np.array([-1, 2 * shape.num_layers, shape.num_heads, shape.head_size], np.int64)
    split = builder.node("Reshape", joined, builder.constant(sizes))
    builder.nodes("Transpose", [split], ["keys_and_values"], perm=[1, 2, 0, 3])
    builder.output("keys_and_values", np.float32, [2 * shape.num_layers, shape.num_heads, "tokens", shape.head_size])


def layer_weight(layer: str, weights: Weights) -> NDArray[np.float32]:
    """Return the weight (outputs, inputs) of a linear layer by its name in the graphs.

    ``….self_attn.qkv_proj`` is query, key and value, and ``decoder.lm_heads`` the heads of all codebooks: one product
    reads the input once.
    """
    if layer.endswith(FUSED):
        return np.concatenate([weights[f"{layer.removesuffix(FUSED)}{name}_proj.weight"] for name in "qkv"])
    if layer == HEADS:
        names = [name for name in weights if name.startswith(f"{HEADS}.")]
        return np.concatenate([weights[f"{HEADS}.{k}.weight"] for k in range(len(names))])
    return weights[f"{layer}.weight"]


def embedding_tables(architecture: Architecture, weights: Weights) -> NDArray[np.float32]:
    """Return the embeddings of the codes, (codebooks, codebook size + 1, hidden), the special code's last."""
    names = [f"{PREFIX}embed_tokens.{k}.weight" for k in range(architecture.decoder.num_codebooks)]
    return np.stack([weights[name] for name in names])


@dataclass(frozen=True, slots=True)
class _Decoder:
    builder: GraphBuilder
    shape: TransformerShape
    weights: Weights
    has_cross_attention: bool

    def build(self) -> None:
        builder, shape = self.builder, self.shape
        residual = builder.input("states", np.float32, ["rows", "positions", shape.hidden_size])
        builder.input("lengths", np.int32, ["rows"])
        builder.input("longest", np.int32, [1])
        if self.has_cross_attention:
            builder.input("cross_bias", np.float32, ["rows", 1, "positions", "tokens"])
        normed = self._first_norm(residual)
        for layer in range(shape.num_layers):
            normed, residual = self._layer(layer, normed, residual)
        self._heads(normed)

    def _layer(self, layer: int, normed: str, residual: str) -> tuple[str, str]:
        """Add one layer; the sum of a sub-layer and the next norm are one fused node."""
        prefix = f"{PREFIX}layers.{layer}."
        attended = self._self_attention(layer, normed)
        if self.has_cross_attention:
            normed, residual = self._add_and_norm(residual, attended, f"{prefix}encoder_attn_layer_norm")
            attended = self._cross_attention(layer, normed)
        normed, residual = self._add_and_norm(residual, attended, f"{prefix}final_layer_norm")
        inner = self._linear(normed, f"{prefix}fc1")
        # The exact GELU, with the error function: the model was not trained with the tanh form.
        active = self.builder.node("Gelu", inner, domain=MICROSOFT)
        outer = self._linear(active, f"{prefix}fc2")
        is_last = layer + 1 == self.shape.num_layers
        following = "layer_norm" if is_last else f"layers.{layer + 1}.self_attn_layer_norm"
        return self._add_and_norm(residual, outer, f"{PREFIX}{following}")

    def _self_attention(self, layer: int, normed: str) -> str:
        prefix = f"{PREFIX}layers.{layer}.self_attn."
        fused = self._linear(normed, f"{prefix}{FUSED}")
        cache: Shape = ["rows", self.shape.num_heads, "capacity", self.shape.head_size]
        for name in ("key", "value"):
            self.builder.input(f"{name}_{layer}", np.float32, cache)
            self.builder.output(f"new_{name}_{layer}", np.float32, cache)
        attended = self.builder.nodes(
            "GroupQueryAttention",
            [fused, "", "", f"key_{layer}", f"value_{layer}", "lengths", "longest"],
            [None, f"new_key_{layer}", f"new_value_{layer}"],
            domain=MICROSOFT,
            num_heads=self.shape.num_heads,
            kv_num_heads=self.shape.num_heads,
        )[0]
        return self._linear(attended, f"{prefix}out_proj")

    def _cross_attention(self, layer: int, normed: str) -> str:
        prefix = f"{PREFIX}layers.{layer}.encoder_attn."
        queries = self._linear(normed, f"{prefix}q_proj")
        fixed: Shape = ["rows", self.shape.num_heads, "tokens", self.shape.head_size]
        keys = self.builder.input(f"cross_key_{layer}", np.float32, fixed)
        values = self.builder.input(f"cross_value_{layer}", np.float32, fixed)
        attended = self.builder.node(
            "MultiHeadAttention", queries, keys, values, "", "", "cross_bias",
            domain=MICROSOFT, num_heads=self.shape.num_heads,
        )  # fmt: skip
        return self._linear(attended, f"{prefix}out_proj")

    def _heads(self, normed: str) -> None:
        """Compute the logits after the last position, for all codebooks in one product."""
        shape, builder = self.shape, self.builder
        # Only the last position is sampled; skipping the others saves most of a prefill's output layer.
        last = builder.node("Gather", normed, builder.constant(np.array(-1, np.int64)), axis=1)
        scores = self._linear(last, HEADS)
        sizes = np.array([-1, shape.num_codebooks, shape.codebook_size], np.int64)
        builder.nodes("Reshape", [scores, builder.constant(sizes)], ["logits"])
        builder.output("logits", np.float32, ["rows", shape.num_codebooks, shape.codebook_size])

    def _linear(self, x: str, layer: str) -> str:
        return self.builder.linear(x, layer_weight(layer, self.weights), layer=layer)

    def _first_norm(self, states: str) -> str:
        name = f"{PREFIX}layers.0.self_attn_layer_norm"
        return self.builder.node("LayerNormalization", states, *self._norm(name), axis=-1, epsilon=EPSILON)

    def _add_and_norm(self, residual: str, update: str, name: str) -> tuple[str, str]:
        """Return the norm of the sum, and the sum."""
        outputs = self.builder.nodes(
            "SkipLayerNormalization", [residual, update, *self._norm(name)], [None, "", "", None],
            domain=MICROSOFT, epsilon=EPSILON,
        )  # fmt: skip
        return outputs[0], outputs[3]

    def _norm(self, name: str) -> list[str]:
        return [self.builder.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias")]
