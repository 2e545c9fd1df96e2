"""Reference graphs: what a model computes in float32 or in bfloat16, to measure quantized layers against.

Weights are kept in 16 bits and widened as the graph runs, so that a reference takes no more memory than the model it
judges. Such a graph is slow, and is opened without optimization, which would widen all weights at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from tunesmith.neural.graph_builder import GraphBuilder

Precision = Literal["float32", "bfloat16"]

OBSERVED, SHARE = "input of ", "share of "
"""The outputs of an observed graph are named by these and the layer."""
SUMS = frozenset({"SkipSimplifiedLayerNormalization", "SkipLayerNormalization"})
"""The operations that add an update to the hidden states, which are their last output."""
STORED = {"float32": np.float16, "bfloat16": ml_dtypes.bfloat16}
ROUNDED_OPERATIONS = frozenset({
    "Add", "Gelu", "MatMul", "Mul", "MultiHeadAttention", "QuickGelu", "RotaryEmbedding", "Sigmoid",
    "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", "Sub", "Tanh",
})  # fmt: skip
"""The operations on activations, whose results a bfloat16 run rounds."""
END = 2**62


class ReferenceGraphBuilder(GraphBuilder):
    """A builder of a reference graph; the forms of layers do not matter.

    With ``observe``, the graph also returns the input (rows, inputs) of every named layer; ``last`` limits it to so
    many positions of each row of a batch (rows, positions, inputs). With ``shares`` as well, it returns the size of the
    update that the layer helps to make, relative to the sum with the hidden states: the root mean square over all
    positions. A last update that no norm follows has none. ``rounded`` are the operations whose results a bfloat16 run
    rounds.
    """

    def __init__(
        self, path: Path, precision: Precision, *, observe: bool = False, last: int | None = None,
        shares: bool = False, rounded: frozenset[str] = ROUNDED_OPERATIONS,
    ) -> None:  # fmt: skip
        super().__init__(path)
        self._precision = precision
        self._observe = observe
        self._last = last
        self._rounded_operations = rounded
        self._observed: set[str] = set()
        self._shares = shares
        self._since_sum: list[str] = []

    def nodes(
        self, operation: str, inputs: Sequence[str], outputs: Sequence[str | None], *, domain: str = "",
        **attributes: Any,
    ) -> list[str]:  # fmt: skip
        """Add a node as GraphBuilder does; in bfloat16, its results are rounded."""
        names = super().nodes(operation, inputs, outputs, domain=domain, **attributes)
        if self._shares and operation in SUMS:
            self._return_shares(inputs[0], names[-1])
        if self._precision == "float32" or operation not in self._rounded_operations:
            return names
        return [self._rounded(name) if name else "" for name in names]

    def linear(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None, *, layer: str = "",
        gain: str = "",
    ) -> str:  # fmt: skip
        """Multiply by a weight (outputs, inputs) in the precision of the graph."""
        if self._observe and layer and layer not in self._observed:
            self._observed.add(layer)
            self._since_sum.append(layer)
            # A copy, because a value may be the input of several layers, and an output has one name.
            super().nodes("Identity", [self._last_positions(x, weight.shape[1])], [f"{OBSERVED}{layer}"])
            self.output(f"{OBSERVED}{layer}", np.float32, ["observed_rows", weight.shape[1]])
        y = self.node("MatMul", x, self._stored(weight, x))
        if gain:
            y = self.node("Mul", y, gain)
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def exact_linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """Multiply by a weight (outputs, inputs): in float32 as it is, in bfloat16 rounded like every other."""
        if self._precision == "float32":
            return super().exact_linear(x, weight, bias)
        return self.linear(x, weight, bias)

    def _stored(self, weight: NDArray[np.float32], x: str) -> str:
        """Add the transposed weight in 16 bits, and its widening once ``x`` is there."""
        # float16 ends at 65,504, and bfloat16 where float32 does.
        if self._precision == "float32" and np.abs(weight).max() > np.finfo(np.float16).max:
            return self.constant(weight.T)
        stored = self.constant(weight.T.astype(STORED[self._precision]))
        # Without an input that comes from x, all weights of the graph would be widened at its start.
        width = super().nodes("Shape", [x], [None], start=-1)[0]
        shape = super().nodes("Concat", [width, self.constant(np.array([-1]))], [None], axis=0)[0]
        waiting = super().nodes("Reshape", [stored, shape], [None])[0]
        return super().nodes("Cast", [waiting], [None], to=TensorProto.FLOAT)[0]

    def _return_shares(self, before: str, after: str) -> None:
        """Return the size of an update as that of each layer that made it."""
        # Later layers see every position brought to the same norm, so each counts for its own part.
        axis = self.constant(np.array([-1]))
        sizes = [self.node("ReduceL2", x, axis, keepdims=0) for x in (self.node("Sub", after, before), after)]
        ratios = self.node("Div", *sizes)
        share = self.node("Sqrt", self.node("ReduceMean", self.node("Mul", ratios, ratios), keepdims=0))
        for layer in self._since_sum:
            super().nodes("Identity", [share], [f"{SHARE}{layer}"])
            self.output(f"{SHARE}{layer}", np.float32, [])
        self._since_sum.clear()

    def _last_positions(self, x: str, width: int) -> str:
        """Cut off all but the last positions, in the graph itself: a run keeps every output in memory."""
        if self._last is None:
            return x
        start, stop, axis, flat = (self.constant(np.array(n)) for n in ([-self._last], [END], [-2], [-1, width]))
        return super().nodes("Reshape", [super().nodes("Slice", [x, start, stop, axis], [None])[0], flat], [None])[0]

    def _rounded(self, name: str) -> str:
        half = super().nodes("Cast", [name], [None], to=TensorProto.BFLOAT16)[0]
        return super().nodes("Cast", [half], [None], to=TensorProto.FLOAT)[0]
