"""TransformerGraph: what the graphs of both generations of the diffusion transformer share.

Between attentions, the positions of all rows are one axis, (rows x positions, hidden). The convolutions of kernel 1
around the transformer are folded into its projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.transformer_nodes import RotaryPositions, expand, integers, reshape
from tunesmith.stable_audio.architecture import DiffusionShape, StableAudioArchitecture
from tunesmith.stable_audio.graph.conditioning import PREFIX

LAYERS = f"{PREFIX}transformer.layers."
BLOCK_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class TransformerGraph:
    """A transformer in the making.

    ``latents`` is the input (rows, latents, channels), ``rows`` its number of rows, and ``by_row`` the shape
    (rows, positions, hidden), all as values of the graph.
    """

    builder: GraphBuilder
    shape: DiffusionShape
    weights: Mapping[str, NDArray[np.float32]]
    rotary: RotaryPositions
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
        return cls(builder, shape, weights, rotary, latents, rows, by_row)

    def around(self, name: str) -> NDArray[np.float32]:
        """Return a convolution of kernel 1 around the transformer, with its shortcut, as a matrix."""
        return self.weights[f"{PREFIX}{name}.weight"] + np.eye(self.shape.latent_channels, dtype=np.float32)

    def key_bias(self, apart: str) -> str:
        """Repeat the bias of the keys for every query of (rows, positions, hidden), as the fused attention wants it."""
        builder = self.builder
        bias = builder.input("key_bias", np.float32, ["rows", 1, 1, "keys"])
        positions = builder.node("Shape", apart, start=1, end=2)
        return expand(builder, bias, integers(builder, 1, 1), positions, integers(builder, 1))

    def apart(self, x: str) -> str:
        """Return the rows as an axis of their own: (rows, positions, hidden)."""
        return self.builder.node("Reshape", x, self.by_row)

    def flat(self, x: str) -> str:
        """Return the positions of all rows as one axis: (rows x positions, hidden)."""
        return reshape(self.builder, x, -1, self.shape.hidden_size)
