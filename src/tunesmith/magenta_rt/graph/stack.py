"""The layers that both transformers have, as nodes of a graph: attention over a memory of rows, and feed-forward.

Norms lie before and after each part, so that a part adds norm(part(norm(x))) to x. States are (rows, 1, width).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.architecture import StackShape
from tunesmith.neural.graph_builder import MICROSOFT, GraphBuilder, Shape
from tunesmith.neural.transformer_nodes import add_and_rms_norm, rms_norm

Array = NDArray[np.float32]
Weights = Mapping[str, Array]

EPSILON = 1e-6
SOFTPLUS_OF_ZERO_INVERSE = 1.442695041
"""1 / softplus(0): a scale of 0 leaves queries as they are."""


def query_scale(per_dimension: Array) -> Array:
    """Return the factors of a query by the dimension of a head: (head,)."""
    softplus = np.logaddexp(0.0, per_dimension.astype(np.float64))
    return np.asarray(SOFTPLUS_OF_ZERO_INVERSE / np.sqrt(len(per_dimension)) * softplus, np.float32)


@dataclass(frozen=True, slots=True)
class StackNodes:
    """The nodes of a transformer whose weights are named ``prefix``/x_layers_0/….

    Attention reads and extends the memory of each row in place: ``lengths`` (rows,) is the number of positions of a row
    including the new one, minus 1, and ``longest`` (1,) the largest number including it.
    """

    builder: GraphBuilder
    shape: StackShape
    weights: Weights
    prefix: str

    def declare_lengths(self) -> None:
        """Declare the inputs that every attention shares."""
        self.builder.input("lengths", np.int32, ["rows"])
        self.builder.input("longest", np.int32, [1])

    def first_norm(self, x: str, part: str) -> str:
        """Add the norm before the first part."""
        return rms_norm(self.builder, x, self._gain(part, "pre_norm"), EPSILON)

    def add_part(self, x: str, update: str, part: str, following: str | None) -> tuple[str, str]:
        """Add the norm after a part, the sum, and the norm before the following part.

        Returns what the following part reads, and the sum. After the last part, both are the sum.
        """
        update = rms_norm(self.builder, update, self._gain(part, "post_norm"), EPSILON)
        if following is None:
            total = self.builder.node("Add", x, update)
            return total, total
        return add_and_rms_norm(self.builder, x, update, self._gain(following, "pre_norm"), EPSILON)

    def self_attention(self, normed: str, part: str, memory: str) -> str:
        """Add attention to the row's own past, in one product for queries, keys and values."""
        fused = np.concatenate([self._projection(part, name) for name in ("query", "key", "value")])
        projected = self.builder.linear(normed, fused, layer=f"{part}/qkv")
        return self._attend([projected, "", ""], part, memory)

    def cross_attention(self, normed: str, source: str, part: str, memory: str) -> str:
        """Add attention to the source (rows, 1, source width) of this frame and of past ones."""
        queries = self.builder.linear(normed, self._projection(part, "query"), layer=f"{part}/query")
        both = np.concatenate([self._projection(part, name) for name in ("key", "value")])
        projected = self.builder.linear(source, both, layer=f"{part}/kv")
        keys, values = self.builder.nodes("Split", [projected], [None, None], axis=2, num_outputs=2)
        return self._attend([queries, keys, values], part, memory)

    def feed_forward(self, normed: str, part: str) -> str:
        """Add the feed-forward layer: GELU in its tanh form between two products."""
        kernels = [self._weight(part, f"ffn_layer{number}/kernel").T for number in (1, 2)]
        inner = self.builder.linear(normed, kernels[0], layer=f"{part}/ffn_layer1")
        bias = self.builder.constant(self._weight(part, "ffn_layer1/bias"))
        active = self.builder.node("FastGelu", inner, bias, domain=MICROSOFT)
        return self.builder.linear(
            active, kernels[1], self._weight(part, "ffn_layer2/bias"), layer=f"{part}/ffn_layer2"
        )

    def _attend(self, projected: list[str], part: str, memory: str) -> str:
        cache: Shape = ["rows", self.shape.num_heads, "capacity", self.shape.head_size]
        keys, values = f"{memory}_key", f"{memory}_value"
        for name in (keys, values):
            self.builder.input(name, np.float32, cache)
            self.builder.output(f"new_{name}", np.float32, cache)
        # The scale of the queries is in their weights.
        attended = self.builder.nodes(
            "GroupQueryAttention", [*projected, keys, values, "lengths", "longest"],
            [None, f"new_{keys}", f"new_{values}"], domain=MICROSOFT,
            num_heads=self.shape.num_heads, kv_num_heads=self.shape.num_heads, scale=1.0,
        )[0]  # fmt: skip
        kernel = self._weight(part, "output_projection/kernel")
        return self.builder.linear(attended, kernel.reshape(len(kernel), -1), layer=f"{part}/output")

    def _projection(self, part: str, name: str) -> Array:
        """Return the weight (heads x head, inputs) of queries, keys or values."""
        kernel = self._weight(part, f"attention/{name}_projection/kernel")
        if name == "query":
            kernel = kernel * query_scale(self._weight(part, "attention/per_dim_scale"))
        return np.ascontiguousarray(kernel.reshape(len(kernel), -1).T)

    def _gain(self, part: str, norm: str) -> str:
        return self.builder.constant(self._weight(part, f"{norm}/scale"))

    def _weight(self, part: str, name: str) -> Array:
        return self.weights[f"{self.prefix}/{part}/{name}"]
