"""TransformerGraph: what the graphs of both generations of the diffusion transformer share.

Between attentions, the positions of all rows are one axis, (rows x positions, hidden). The convolutions of kernel 1
around the transformer are folded into its projections.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.feed_forward import GatedWeights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import END, RotaryPositions, attention, cut, expand, integers, reshape
from tunesmith.stable_audio.architecture import DiffusionShape, StableAudioArchitecture
from tunesmith.stable_audio.graph.conditioning import PREFIX

LAYERS = f"{PREFIX}transformer.layers."
# As in the reference; the norms of heads have 1e-6.
BLOCK_EPSILON = 1e-5


def gated_weights(weights: Mapping[str, NDArray[np.float32]], stem: str) -> GatedWeights:
    """Return the weights of the gated feed-forward layer whose names begin with ``stem``."""
    return GatedWeights(
        inner=weights[f"{stem}0.proj.weight"], inner_bias=weights[f"{stem}0.proj.bias"],
        outer=weights[f"{stem}2.weight"], inner_layer=f"{stem}0.proj", outer_layer=f"{stem}2",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TransformerGraph(ABC):
    """A transformer in the making.

    ``num_in_front`` positions come before the latents. ``latents`` is the input (rows, latents, channels), ``rows`` its
    number of rows, and ``by_row`` the shape (rows, positions, hidden), all as values of the graph.
    """

    builder: GraphBuilder
    shape: DiffusionShape
    weights: Mapping[str, NDArray[np.float32]]
    rotary: RotaryPositions
    num_in_front: int
    latents: str
    rows: str
    by_row: str

    @classmethod
    def begin(
        cls, builder: GraphBuilder, architecture: StableAudioArchitecture, weights: Mapping[str, NDArray[np.float32]],
        num_in_front: int,
    ) -> Self:  # fmt: skip
        """Declare the latents; ``num_in_front`` positions come before them."""
        shape = architecture.diffusion
        positions = num_in_front + architecture.max_latents
        rotary = RotaryPositions.up_to(builder, positions, shape.num_heads, shape.rotary_size)
        latents = builder.input("latents", np.float32, ["rows", "latents", shape.latent_channels])
        rows = builder.node("Shape", latents, start=0, end=1)
        builder.batch_rows = rows
        by_row = builder.node("Concat", rows, integers(builder, -1, shape.hidden_size), axis=0)
        return cls(builder, shape, weights, rotary, num_in_front, latents, rows, by_row)

    def around(self, name: str) -> NDArray[np.float32]:
        """Return a convolution of kernel 1 around the transformer, with its shortcut, as a matrix."""
        return self.weights[f"{PREFIX}{name}.weight"] + np.eye(self.shape.latent_channels, dtype=np.float32)

    def key_bias(self, apart: str) -> str:
        """Repeat the bias of the keys for every query of (rows, positions, hidden), as the fused attention wants it."""
        builder = self.builder
        bias = builder.input("key_bias", np.float32, ["rows", 1, 1, "keys"])
        positions = builder.node("Shape", apart, start=1, end=2)
        return expand(builder, bias, integers(builder, 1, 1), positions, integers(builder, 1))

    @abstractmethod
    def normed_heads(self, name: str, x: str) -> str:
        """Norm each head of queries or keys: (rows x positions, hidden) -> (rows, positions, hidden)."""

    def linear(self, layer: int, name: str, x: str, gain: str = "") -> str:
        """Add a linear layer without a bias, whose form the builder chooses by the layer's name."""
        full = f"{LAYERS}{layer}.{name}"
        return self.builder.linear(x, self.weights[f"{full}.weight"], layer=full, gain=gain)

    def cross_attention(self, layer: int, normed: str, key_bias: str) -> str:
        """Add the attention of a layer to the condition, whose keys and values are inputs of the graph."""
        builder, shape = self.builder, self.shape
        queries = self.normed_heads(f"{layer}.cross_attn.q_norm", self.linear(layer, "cross_attn.to_q", normed))
        keys, values = (
            builder.input(f"cross_{kind}_{layer}", np.float32, ["rows", "keys", shape.hidden_size])
            for kind in ("key", "value")
        )
        attended = self.flat(attention(builder, queries, keys, values, shape.num_heads, key_bias))
        return self.linear(layer, "cross_attn.to_out", attended)

    def project_out(self, hidden: str) -> None:
        """Add the output: the velocity of the latents, without the positions in front."""
        builder = self.builder
        kept = cut(builder, self.apart(hidden), self.num_in_front, END, 1)
        weight = self.around("postprocess_conv") @ self.weights[f"{PREFIX}transformer.project_out.weight"]
        builder.nodes("Identity", [builder.exact_linear(kept, weight)], ["velocity"])
        builder.output("velocity", np.float32, ["rows", "latents", self.shape.latent_channels])

    def apart(self, x: str) -> str:
        """Return the rows as an axis of their own: (rows, positions, hidden)."""
        return self.builder.node("Reshape", x, self.by_row)

    def flat(self, x: str) -> str:
        """Return the positions of all rows as one axis: (rows x positions, hidden)."""
        return reshape(self.builder, x, -1, self.shape.hidden_size)
