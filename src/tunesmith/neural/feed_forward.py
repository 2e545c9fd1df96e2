"""A gated feed-forward layer (SwiGLU: Shazeer, 2020) as nodes of a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import Quantization, RowQuantization
from tunesmith.neural.transformer_nodes import silu

GROUP = 1024
"""The most inner numbers computed at a time: a longer row of all positions would not stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class GatedWeights:
    """The weights of a layer: ``inner`` (2 x inner, inputs) with its bias, and ``outer`` (outputs, inner).

    The first half of ``inner`` are the values, the second their gate. The names choose the forms.
    """

    inner: NDArray[np.float32]
    inner_bias: NDArray[np.float32]
    outer: NDArray[np.float32]
    inner_layer: str
    outer_layer: str


def add_gated_feed_forward(builder: GraphBuilder, x: str, weights: GatedWeights, gain: str = "") -> str:
    """Add outer(values x silu(gate)) of (rows, inputs), times the gain (outputs,); return the name of its output.

    With the outer weight quantized by rows, the inner numbers are computed in groups whose activations have scales of
    their own.
    """
    values, gate = np.split(weights.inner, 2)
    value_bias, gate_bias = np.split(weights.inner_bias, 2)
    total = ""
    for group in np.array_split(np.arange(len(values)), _num_groups(builder, weights)):
        value = builder.linear(x, values[group], value_bias[group], layer=weights.inner_layer)
        opened = silu(builder, builder.linear(x, gate[group], gate_bias[group], layer=weights.inner_layer))
        active = builder.node("Mul", value, opened)
        part = builder.linear(active, weights.outer[:, group], layer=weights.outer_layer, gain=gain)
        total = builder.node("Add", total, part) if total else part
    return total


def _num_groups(builder: GraphBuilder, weights: GatedWeights) -> int:
    inner_form = builder.forms.of(weights.inner_layer, weights.inner.shape)
    outer_form = builder.forms.of(weights.outer_layer, weights.outer.shape)
    # Blockwise forms quantize their input in each product, so one product is better than several.
    if not isinstance(outer_form, RowQuantization) or isinstance(inner_form, Quantization):
        return 1
    inner: int = weights.outer.shape[1]
    return -(-inner // GROUP)
