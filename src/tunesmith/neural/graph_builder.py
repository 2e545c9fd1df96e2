"""GraphBuilder: builds an ONNX graph node by node and writes its weights to disk one tensor at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tunesmith.neural.graph_metadata import BLOCKWISE_PRODUCTS
from tunesmith.neural.quantization import LayerForms, LinearForm, Quantization, RowQuantization, quantize, quantize_rows

MICROSOFT = "com.microsoft"
# Opset 20 is the first with Gelu.
OPSET, MICROSOFT_OPSET, IR_VERSION = 20, 1, 10
# Smaller tensors stay inside the graph file.
INLINE_BYTES = 1024
# A multiple of every system's allocation granularity (64 KiB on Windows), so that the weights can be memory-mapped.
ALIGNMENT = 65_536

# The code of zero in unsigned bytes.
MIDDLE = 128

Shape = Sequence[int | str]


@dataclass(frozen=True, slots=True)
class RowCodes:
    """The names of quantized activations: ``codes`` (rows, inputs), unsigned bytes, and ``scales`` (rows, 1)."""

    codes: str
    scales: str


class GraphBuilder:
    """A builder of the graph file ``path`` and the weights file ``path`` + ``.data``.

    Values are named by strings, as in ONNX. As a context manager, it writes the graph at the end and removes both
    files if building fails. ``forms`` are the forms of its linear layers. A graph for batches sets ``batch_rows``, the
    name of their number (1,): its layers in corrected forms all take (rows x positions, inputs), with as many
    positions in each row. Without it, all positions are one row.
    """

    def __init__(self, path: Path, forms: LayerForms | LinearForm = None) -> None:
        self.path = path
        self.forms = forms if isinstance(forms, LayerForms) else LayerForms.all(forms)
        self._data_path = path.with_name(path.name + ".data")
        self._data = self._data_path.open("wb")
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self.batch_rows = ""
        self._row_codes: dict[str, RowCodes] = {}
        self._means: dict[str, str] = {}
        self._averaging = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()
        if error is None:
            self._save()
        else:
            self._data_path.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def input(self, name: str, kind: type[np.generic], shape: Shape) -> str:
        """Declare an input and return its name; a string names an axis of variable size."""
        self._inputs.append(helper.make_tensor_value_info(name, _onnx_type(kind), shape))
        return name

    def output(self, name: str, kind: type[np.generic], shape: Shape) -> str:
        """Declare the value of this name, the output of a node, as an output of the graph; return the name."""
        self._outputs.append(helper.make_tensor_value_info(name, _onnx_type(kind), shape))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant tensor and return its name; large ones go to the data file immediately."""
        name = f"constant_{len(self._constants)}"
        # np.ascontiguousarray would turn a scalar into a one-element array.
        array = np.asarray(array, order="C")
        tensor = numpy_helper.from_array(array, name) if array.nbytes < INLINE_BYTES else self._external(array, name)
        self._constants.append(tensor)
        return name

    def node(self, operation: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name; an empty input name omits that input."""
        return self.nodes(operation, inputs, [None], domain=domain, **attributes)[0]

    def nodes(
        self, operation: str, inputs: Sequence[str], outputs: Sequence[str | None], *, domain: str = "",
        **attributes: Any,
    ) -> list[str]:  # fmt: skip
        """Add a node with several outputs and return their names; None generates a name, "" omits the output."""
        number = len(self._nodes)
        names = [f"{operation}_{number}_{i}" if name is None else name for i, name in enumerate(outputs)]
        node = helper.make_node(operation, inputs, names, name=f"{operation}_{number}", domain=domain, **attributes)
        self._nodes.append(node)
        return names

    def linear(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None, *, layer: str = "",
        gain: str = "",
    ) -> str:  # fmt: skip
        """Multiply by a weight (outputs, inputs) in the form chosen for the layer of this name, and add the bias.

        ``gain`` names a value (outputs,) that the outputs are multiplied by before the bias is added. Quantized by
        rows, ``x`` is (rows, inputs); layers with the same input share its quantization.
        """
        form, correction = self.forms.of(layer, weight.shape), ""
        match form:
            case None:
                y = self.node("MatMul", x, self.constant(weight.T))
            case Quantization() as blockwise:
                y = self._multiply_blocks(x, weight, blockwise)
            case RowQuantization():
                codes, scales = quantize_rows(weight)
                y = self._multiply_codes(x, codes, scales, gain)
                if form.corrected:
                    left = weight - codes * scales[:, None]
                    correction = self._multiply_codes(self._mean(x), *quantize_rows(left), gain)
                gain = ""
        if gain:
            y = self.node("Mul", y, gain)
        if correction:
            return self._add_correction(y, correction, bias)
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def exact_linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """Multiply by a weight (outputs, inputs) in float32, whatever the forms of the graph, and add the bias."""
        y = self.node("MatMul", x, self.constant(weight.T))
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def _multiply_blocks(self, x: str, weight: NDArray[np.float32], quantization: Quantization) -> str:
        outputs, inputs = weight.shape
        codes, scales = quantize(weight, quantization)
        # Accuracy level 4 computes in int8, which is what makes a quantized step fast.
        return self.node(
            "MatMulNBits", x, self.constant(codes), self.constant(scales.reshape(-1)), domain=MICROSOFT,
            K=inputs, N=outputs, bits=quantization.bits, block_size=quantization.block_size, accuracy_level=4,
        )  # fmt: skip

    def _multiply_codes(self, x: str, codes: NDArray[np.int8], scales: NDArray[np.float32], gain: str) -> str:
        if x not in self._row_codes:
            self._row_codes[x] = self._quantize_rows(x)
        activations, by_output = self._row_codes[x], self.constant(scales)
        # The gain of an output is one with its scale: no pass over the product is needed for it.
        by_output = self.node("Mul", by_output, gain) if gain else by_output
        one, middle = self.constant(np.array(1, np.float32)), self.constant(np.array(MIDDLE, np.uint8))
        product = self.node(
            "MatMulIntegerToFloat", activations.codes, self.constant(codes.T), one, by_output, middle, domain=MICROSOFT
        )
        # The operator takes one scale for all rows.
        return self.node("Mul", product, activations.scales)

    def _mean(self, x: str) -> str:
        """Return the mean of the positions of each row of a batch: (rows, inputs)."""
        self.batch_rows = self.batch_rows or self.constant(np.array([1]))
        if x not in self._means:
            mean = self.node("MatMul", self._averaging_factor(x), self._apart(x))
            self._means[x] = self.node("Squeeze", mean, self.constant(np.array([1])))
        return self._means[x]

    def _averaging_factor(self, x: str) -> str:
        """Return the factor (1, positions) that averages the positions of a row.

        ReduceMean adds up one row in another order than several, so a row of a batch would be rounded in another way.
        """
        if not self._averaging:
            positions = self.node("Div", self.node("Shape", x, end=1), self.batch_rows)
            share = self.node("Reciprocal", self.node("Cast", positions, to=TensorProto.FLOAT))
            shape = self.node("Concat", self.constant(np.array([1])), positions, axis=0)
            self._averaging = self.node("Expand", share, shape)
        return self._averaging

    def _add_correction(self, y: str, correction: str, bias: NDArray[np.float32] | None) -> str:
        """Add to all positions (rows x positions, outputs) of a row its correction (rows, outputs) and the bias."""
        if bias is not None:
            correction = self.node("Add", correction, self.constant(bias))
        correction = self.node("Unsqueeze", correction, self.constant(np.array([1])))
        total = self.node("Add", self._apart(y), correction)
        return self.node("Reshape", total, self.node("Shape", y))

    def _apart(self, x: str) -> str:
        """Return the rows of a batch as an axis of their own: (rows, positions, width)."""
        width = self.node("Shape", x, start=1)
        shape = self.node("Concat", self.batch_rows, self.constant(np.array([-1])), width, axis=0)
        return self.node("Reshape", x, shape)

    def _quantize_rows(self, x: str) -> RowCodes:
        """Quantize (rows, inputs) so that the strongest number of each row becomes 127 or -127."""
        strongest = self.node("ReduceMax", self.node("Abs", x), self.constant(np.array([-1])), keepdims=1)
        # A row of zeros must not divide by zero.
        above_zero = self.node("Max", strongest, self.constant(np.array(1e-12, np.float32)))
        scales = self.node("Mul", above_zero, self.constant(np.array(1 / 127, np.float32)))
        flat = self.node("Reshape", scales, self.constant(np.array([-1])))
        middles = self.node("Expand", self.constant(np.array(MIDDLE, np.uint8)), self.node("Shape", flat))
        return RowCodes(self.node("QuantizeLinear", x, flat, middles, axis=0), scales)

    def _external(self, array: NDArray[Any], name: str) -> onnx.TensorProto:
        # Only tensors above 64 KiB are worth a page of their own: many small ones would waste the file.
        alignment = ALIGNMENT if array.nbytes >= ALIGNMENT else INLINE_BYTES
        offset = -(-self._data.tell() // alignment) * alignment
        self._data.seek(offset)
        # As bytes, because the buffer of an array of bfloat16 has no type that Python knows.
        self._data.write(array.reshape(-1).view(np.uint8).data)
        tensor = TensorProto(
            name=name, data_type=_onnx_type(array.dtype.type), dims=array.shape, data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", self._data_path.name), ("offset", offset), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    def _save(self) -> None:
        graph = helper.make_graph(self._nodes, self.path.stem, self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, MICROSOFT_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="tunesmith")
        has_blocks = any(node.op_type == "MatMulNBits" for node in self._nodes)
        helper.set_model_props(model, {BLOCKWISE_PRODUCTS: "yes" if has_blocks else "no"})
        self.path.write_bytes(model.SerializeToString())


def _onnx_type(kind: type[np.generic]) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
