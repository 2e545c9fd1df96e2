"""GraphBuilder: builds an ONNX graph node by node and writes its weights to disk one tensor at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tunesmith.neural.quantization import Quantization, quantize

MICROSOFT = "com.microsoft"
OPSET, MICROSOFT_OPSET, IR_VERSION = 20, 1, 10
# Smaller tensors stay inside the graph file.
INLINE_BYTES = 1024
# A multiple of every system's allocation granularity (64 KiB on Windows), so that the weights can be memory-mapped.
ALIGNMENT = 65_536

Shape = Sequence[int | str]


class GraphBuilder:
    """A builder of the graph file ``path`` and the weights file ``path`` + ``.data``.

    Values are named by strings, as in ONNX. As a context manager, it writes the graph at the end and removes both files
    if
    building fails.
    """

    def __init__(self, path: Path, quantization: Quantization | None = None) -> None:
        self.path = path
        self.quantization = quantization
        self._data_path = path.with_name(path.name + ".data")
        self._data = self._data_path.open("wb")
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

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

    def linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """Multiply by a weight (outputs, inputs), quantized as the builder's settings say, and add the bias."""
        outputs, inputs = weight.shape
        if self.quantization is None:
            y = self.node("MatMul", x, self.constant(weight.T))
        else:
            codes, scales = quantize(weight, self.quantization)
            # Accuracy level 4 computes in int8, which is what makes a quantized step fast.
            y = self.node(
                "MatMulNBits", x, self.constant(codes), self.constant(scales.reshape(-1)), domain=MICROSOFT,
                K=inputs, N=outputs, bits=self.quantization.bits, block_size=self.quantization.block_size,
                accuracy_level=4,
            )  # fmt: skip
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def _external(self, array: NDArray[Any], name: str) -> onnx.TensorProto:
        # Only tensors above 64 KiB are worth a page of their own: many small ones would waste the file.
        alignment = ALIGNMENT if array.nbytes >= ALIGNMENT else INLINE_BYTES
        offset = -(-self._data.tell() // alignment) * alignment
        self._data.seek(offset)
        self._data.write(array.data)
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
        self.path.write_bytes(model.SerializeToString())


def _onnx_type(kind: type[np.generic]) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
