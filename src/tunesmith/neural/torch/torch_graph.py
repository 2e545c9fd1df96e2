"""TorchGraph: a graph that the same builders build, kept in memory and run by torch, on a GPU or on the CPU.

Linear layers and attention compute in the precision of the graph, everything else in float32. On CUDA, the kernels of
each combination of input shapes are captured once as a CUDA graph and then replayed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.graph_builder import GraphBuilder, Shape
from tunesmith.neural.quantization import LayerForms
from tunesmith.neural.torch.captured import captured
from tunesmith.neural.torch.device import torch
from tunesmith.neural.torch.operations import operator_named

Tensors = dict[str, "torch.Tensor"]
MOST_CAPTURES = 8
"""At most so many combinations of shapes stay captured: each keeps its values on the GPU."""


@dataclass(frozen=True, slots=True)
class _Node:
    run: Callable[..., Any]
    inputs: Sequence[str]
    outputs: Sequence[str]


class _Capture:
    """A captured run for one combination of shapes, with inputs of its own on the device."""

    def __init__(self, execute: Callable[[Tensors], Tensors], given: Tensors) -> None:
        self._inputs = {name: tensor.clone() for name, tensor in given.items()}
        self._replay = captured(partial(execute, self._inputs))

    def run(self, given: Tensors) -> Tensors:
        for name, tensor in given.items():
            self._inputs[name].copy_(tensor)
        return self._replay()


class TorchGraph(GraphBuilder):
    """A graph on the device, with linear layers and attention in ``dtype``.

    The builder methods add nodes; ``run`` and ``run_all`` are those of a LazySession. ``captures`` is for graphs that
    run again and again with the same shapes.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, *, captures: bool = False) -> None:
        self.forms = LayerForms()
        self._device = device
        self._dtype = dtype
        self._is_captured = captures and device.type == "cuda"
        self._captures: OrderedDict[Any, _Capture] = OrderedDict()
        self._values: Tensors = {}
        self._given: dict[str, tuple[NDArray[Any], torch.Tensor]] = {}
        self._last_uses: dict[int, list[str]] = {}
        self._steps: list[_Node] = []
        self._output_names: list[str] = []

    def input(self, name: str, kind: type[np.generic], shape: Shape) -> str:  # noqa: ARG002  torch checks neither
        """Declare an input; see GraphBuilder."""
        return name

    def output(self, name: str, kind: type[np.generic], shape: Shape) -> str:  # noqa: ARG002  torch checks neither
        """Declare an output; see GraphBuilder."""
        self._output_names.append(name)
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant tensor: numbers on the device, integers such as shapes on the CPU."""
        # As in GraphBuilder, np.ascontiguousarray would turn a scalar into a one-element array.
        tensor = torch.from_numpy(np.array(array, order="C"))
        is_number = tensor.is_floating_point()
        return self._hold(tensor.to(self._device) if is_number else tensor)

    def nodes(
        self, operation: str, inputs: Sequence[str], outputs: Sequence[str | None], *, domain: str = "",  # noqa: ARG002
        **attributes: Any,
    ) -> list[str]:  # fmt: skip
        """Add a node; see GraphBuilder."""
        return self._add(partial(operator_named(operation, self._dtype), **attributes), inputs, outputs)

    def linear(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None, *, layer: str = "",  # noqa: ARG002
        gain: str = "",
    ) -> str:  # fmt: skip
        """Multiply by a weight (outputs, inputs) in the precision of the graph, and add the bias in float32."""
        y = self._multiply(x, weight, self._dtype)
        if gain:
            y = self.node("Mul", y, gain)
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def exact_linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """Multiply by a weight (outputs, inputs) in float32, and add the bias."""
        y = self._multiply(x, weight, torch.float32)
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the graph and return its first output."""
        return next(iter(self.run_all(inputs).values()))

    @torch.inference_mode()
    def run_all(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the graph and return its outputs by name.

        An array that was an input of the run before is taken to be unchanged, and is not copied to the device again.
        """
        found = self._run({name: self._placed(name, array) for name, array in inputs.items()})
        return {name: np.asarray(value.cpu().numpy()) for name, value in found.items()}

    def _run(self, given: Tensors) -> Tensors:
        if not self._is_captured:
            return self._execute(given)
        shapes = tuple((name, *tensor.shape) for name, tensor in given.items())
        capture = self._captures.pop(shapes, None) or _Capture(self._execute, given)
        self._captures[shapes] = capture
        if len(self._captures) > MOST_CAPTURES:
            self._captures.popitem(last=False)
        return capture.run(given)

    def _placed(self, name: str, array: NDArray[Any]) -> torch.Tensor:
        before = self._given.get(name)
        if before is None or before[0] is not array:
            before = self._given[name] = array, torch.from_numpy(array).to(self._device)
        return before[1]

    def _execute(self, given: Tensors) -> Tensors:
        values: dict[str, torch.Tensor | None] = {**self._values, **given, "": None}
        for number, node in enumerate(self._steps):
            found = node.run(*(values[name] for name in node.inputs))
            parts = [found] if isinstance(found, torch.Tensor) else found
            values.update(zip(node.outputs, parts, strict=True))
            for name in self._done_after(number):
                del values[name]
        return {name: value for name in self._output_names if (value := values[name]) is not None}

    def _done_after(self, number: int) -> Sequence[str]:
        """Return the values that no later node takes."""
        if not self._last_uses:
            kept = {*self._values, *self._output_names, ""}
            last = {name: at for at, node in enumerate(self._steps) for name in (*node.inputs, *node.outputs)}
            for name, at in last.items():
                if name not in kept:
                    self._last_uses.setdefault(at, []).append(name)
        return self._last_uses.get(number, ())

    def _multiply(self, x: str, weight: NDArray[np.float32], dtype: torch.dtype) -> str:
        held = self._hold(torch.from_numpy(np.ascontiguousarray(weight)).to(self._device, dtype))
        return self._add(lambda a, b: torch.nn.functional.linear(a.to(b.dtype), b).float(), [x, held], [None])[0]

    def _hold(self, tensor: torch.Tensor) -> str:
        name = f"constant_{len(self._values)}"
        self._values[name] = tensor
        return name

    def _add(self, run: Callable[..., Any], inputs: Sequence[str], outputs: Sequence[str | None]) -> list[str]:
        names = [f"value_{len(self._steps)}_{i}" if name is None else name for i, name in enumerate(outputs)]
        self._steps.append(_Node(run, inputs, names))
        return names
