"""The floor of a step: what its products with weights take on this machine, each by itself on warm data."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnx

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import LINEAR_FORMS, LinearForm
from tunesmith.neural.sessions import ALL_CORES, open_session

REPEATS = 7
Product = tuple[str, int, int]
"""The form of a product by name, its outputs and its inputs."""


def floor_seconds(transformer: Path, positions: int) -> float:
    """Return the least seconds that the linear layers of a graph can take for so many positions."""
    return sum(count * _product_seconds(product, positions) for product, count in products_of(transformer).items())


def products_of(transformer: Path) -> Counter[Product]:
    """Count the products of latents with constant weights; those of the noise level have one row."""
    graph = onnx.load(transformer, load_external_data=False).graph
    shapes = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    found, of_latents = Counter[Product](), {"latents"}
    for node in graph.node:
        if of_latents.isdisjoint(node.input):
            continue
        # The mean of all positions is one row.
        if node.op_type != "Squeeze":
            of_latents.update(node.output)
        if node.op_type == "MatMulNBits":
            sizes = {attribute.name: attribute.i for attribute in node.attribute}
            name = "blockwise8" if sizes["block_size"] == 128 else "blockwise8-32"
            found[name, sizes["N"], sizes["K"]] += 1
        elif node.op_type in ("MatMul", "MatMulIntegerToFloat") and len(shapes.get(node.input[1], ())) == 2:
            inputs, outputs = shapes[node.input[1]]
            found["float32" if node.op_type == "MatMul" else "rows8", outputs, inputs] += 1
    return found


def _product_seconds(product: Product, positions: int) -> float:
    """Time one product, the best of several: its input is quantized already where the form allows it."""
    name, outputs, inputs = product
    random = np.random.default_rng(0)
    weight = random.standard_normal((outputs, inputs), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "product.onnx")
        given = _build(path, LINEAR_FORMS[name], weight, positions)
        session = open_session(path, ALL_CORES)
        times = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            session.run(None, given)
            times.append(time.perf_counter() - began)
    return min(times)


def _build(path: Path, form: LinearForm, weight: np.ndarray, positions: int) -> dict[str, np.ndarray]:
    outputs, inputs = weight.shape
    random = np.random.default_rng(1)
    with GraphBuilder(path, form) as builder:
        if form == LINEAR_FORMS["rows8"]:
            builder.input("codes", np.uint8, [positions, inputs])
            one, middle = builder.constant(np.array(1, np.float32)), builder.constant(np.array(128, np.uint8))
            codes = builder.constant(random.integers(-127, 128, (inputs, outputs)).astype(np.int8))
            y = builder.node("MatMulIntegerToFloat", "codes", codes, one, one, middle, domain="com.microsoft")
            given = {"codes": random.integers(0, 256, (positions, inputs)).astype(np.uint8)}
        else:
            y = builder.linear(builder.input("x", np.float32, [positions, inputs]), weight)
            given = {"x": random.standard_normal((positions, inputs), dtype=np.float32)}
        # Returned whole, the result would be copied; one number of it keeps the product.
        builder.nodes("ReduceMax", [y], ["most"], keepdims=0)
        builder.output("most", np.float32, [])
    return given
