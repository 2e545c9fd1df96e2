from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tunesmith.neural.graph_builder import ALIGNMENT, GraphBuilder
from tunesmith.neural.quantization import QUANTIZATIONS
from tunesmith.neural.sessions import ALL_CORES, open_session

WEIGHT = np.random.default_rng(1).standard_normal((48, 96)).astype(np.float32)
BIAS = np.arange(48, dtype=np.float32)
X = np.random.default_rng(2).standard_normal((3, 96)).astype(np.float32)


def build_linear(path: Path, quantize: str) -> None:
    with GraphBuilder(path, QUANTIZATIONS[quantize]) as builder:
        x = builder.input("x", np.float32, ["n", 96])
        y = builder.linear(x, WEIGHT, BIAS)
        builder.nodes("Identity", [y], ["y"])
        builder.output("y", np.float32, ["n", 48])


@pytest.mark.parametrize(("quantize", "error"), [("none", 1e-5), ("int8", 0.03), ("int8-32", 0.02), ("int4", 0.2)])
def test_a_linear_layer_is_the_matrix_product(tmp_path: Path, quantize: str, error: float) -> None:
    build_linear(tmp_path / "linear.onnx", quantize)
    (y,) = open_session(tmp_path / "linear.onnx", ALL_CORES).run(None, {"x": X})
    wanted = X @ WEIGHT.T
    assert np.linalg.norm(y - BIAS - wanted) / np.linalg.norm(wanted) < error


def test_large_weights_lie_beside_the_graph_where_they_can_be_mapped(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", "none")
    data = (tmp_path / "linear.onnx.data").read_bytes()
    assert data[: WEIGHT.nbytes] == np.ascontiguousarray(WEIGHT.T).tobytes()
    assert (tmp_path / "linear.onnx").stat().st_size < ALIGNMENT


def fail_to_build(path: Path) -> None:
    with GraphBuilder(path) as builder:
        builder.constant(WEIGHT)
        raise KeyError("a weight that is not there")


def test_a_graph_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_to_build(tmp_path / "broken.onnx")
    assert list(tmp_path.iterdir()) == []
