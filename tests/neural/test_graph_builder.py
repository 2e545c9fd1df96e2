from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from tunesmith.neural.graph_builder import ALIGNMENT, GraphBuilder
from tunesmith.neural.quantization import (
    BLOCKWISE,
    FLOAT32,
    LINEAR_FORMS,
    QUANTIZATIONS,
    ROWS,
    ROWS_CORRECTED,
    LayerForms,
    LinearForm,
)
from tunesmith.neural.sessions import ALL_CORES, SessionOptions, open_session

WEIGHT = np.random.default_rng(1).standard_normal((48, 96)).astype(np.float32)
BIAS = np.arange(48, dtype=np.float32)
X = np.random.default_rng(2).standard_normal((3, 96)).astype(np.float32)


Array = npt.NDArray[np.float32]


def build_linear(path: Path, forms: LayerForms | LinearForm, layers: tuple[str, ...] = ("y",)) -> None:
    """Build layers with the same weight, each with an output of its name, and a gain as an input."""
    with GraphBuilder(path, forms) as builder:
        x = builder.input("x", np.float32, ["n", 96])
        gain = builder.input("gain", np.float32, [48])
        for layer in layers:
            y = builder.linear(x, WEIGHT, BIAS, layer=layer, gain=gain)
            builder.nodes("Identity", [y], [layer])
            builder.output(layer, np.float32, ["n", 48])


def run(path: Path, x: Array = X, gain: Array | None = None, threads: int = 1) -> list[Array]:
    gain = np.ones(48, np.float32) if gain is None else gain
    options = SessionOptions(num_threads=threads, spinning=False)
    outputs: list[Array] = open_session(path, options).run(None, {"x": x, "gain": gain})
    return outputs


def error_of(y: Array, x: Array = X) -> float:
    wanted = x @ WEIGHT.T
    return float(np.linalg.norm(y - BIAS - wanted) / np.linalg.norm(wanted))


def operations(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path, load_external_data=False).graph.node]


@pytest.mark.parametrize(("quantize", "error"), [("none", 1e-5), ("int8", 0.03), ("int8-32", 0.02), ("int4", 0.2)])
def test_a_linear_layer_is_the_matrix_product(tmp_path: Path, quantize: str, error: float) -> None:
    build_linear(tmp_path / "linear.onnx", QUANTIZATIONS[quantize])
    (y,) = run(tmp_path / "linear.onnx")
    assert error_of(y) < error


def test_a_layer_in_bytes_by_row_is_the_matrix_product(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", ROWS)
    (y,) = run(tmp_path / "linear.onnx")
    assert 1e-4 < error_of(y) < 0.01


def test_a_correction_gives_the_mean_of_the_positions_its_exact_product(tmp_path: Path) -> None:
    alike = X[:1] + 0.01 * np.random.default_rng(3).standard_normal((200, 96)).astype(np.float32)
    means = []
    for form in (ROWS, ROWS_CORRECTED):
        build_linear(tmp_path / "linear.onnx", form)
        means.append(error_of(run(tmp_path / "linear.onnx", alike)[0].mean(axis=0), alike.mean(axis=0)))
    assert means[1] < 0.1 * means[0]


@pytest.mark.parametrize("form", LINEAR_FORMS.values(), ids=LINEAR_FORMS)
def test_a_gain_multiplies_the_outputs_before_the_bias(tmp_path: Path, form: LinearForm) -> None:
    build_linear(tmp_path / "linear.onnx", form)
    gain = np.random.default_rng(4).standard_normal(48).astype(np.float32)
    (plain,), (scaled,) = run(tmp_path / "linear.onnx"), run(tmp_path / "linear.onnx", gain=gain)
    np.testing.assert_allclose(scaled - BIAS, (plain - BIAS) * gain, atol=1e-4)


def test_a_loud_row_does_not_coarsen_the_others(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", ROWS)
    loud = X.copy()
    loud[1] *= 1e4
    (plain,), (beside) = run(tmp_path / "linear.onnx"), run(tmp_path / "linear.onnx", loud)[0]
    np.testing.assert_array_equal(beside[[0, 2]], plain[[0, 2]])


def test_a_row_of_zeros_gives_the_bias(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", ROWS)
    np.testing.assert_array_equal(run(tmp_path / "linear.onnx", np.zeros_like(X))[0], np.tile(BIAS, (3, 1)))


def test_products_of_bytes_are_the_same_with_any_number_of_threads(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", ROWS)
    x = np.random.default_rng(5).standard_normal((200, 96)).astype(np.float32)
    (one,), (two,) = (run(tmp_path / "linear.onnx", x, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_layers_with_the_same_input_share_its_quantization(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", ROWS, ("queries", "keys", "values"))
    found = operations(tmp_path / "linear.onnx")
    assert (found.count("QuantizeLinear"), found.count("MatMulIntegerToFloat")) == (1, 3)


def test_each_layer_has_the_form_of_its_name(tmp_path: Path) -> None:
    forms = LayerForms.all(ROWS)
    by_layer = LayerForms(ROWS, ROWS, {"exact": FLOAT32, "blocks": BLOCKWISE})
    assert forms.of("exact", WEIGHT.shape) == ROWS
    build_linear(tmp_path / "linear.onnx", by_layer, ("exact", "blocks", "other"))
    exact, blocks, other = run(tmp_path / "linear.onnx")
    assert error_of(exact) < 1e-5 < error_of(blocks)
    assert error_of(other) != error_of(blocks)
    assert {"MatMul", "MatMulNBits", "MatMulIntegerToFloat"} <= set(operations(tmp_path / "linear.onnx"))


def test_a_layer_that_narrows_may_have_another_form() -> None:
    mixed = LayerForms(default=ROWS, narrowing=BLOCKWISE)
    assert mixed.of("widening", (8, 4)) == mixed.of("square", (4, 4)) == ROWS
    assert mixed.of("narrowing", (4, 8)) == BLOCKWISE


def test_an_exact_layer_is_float32_in_a_quantized_graph(tmp_path: Path) -> None:
    with GraphBuilder(tmp_path / "exact.onnx", ROWS) as builder:
        x = builder.input("x", np.float32, ["n", 96])
        builder.nodes("Identity", [builder.exact_linear(x, WEIGHT, BIAS)], ["y"])
        builder.output("y", np.float32, ["n", 48])
    (y,) = open_session(tmp_path / "exact.onnx", ALL_CORES).run(None, {"x": X})
    assert error_of(y) < 1e-5


def test_large_weights_lie_beside_the_graph_where_they_can_be_mapped(tmp_path: Path) -> None:
    build_linear(tmp_path / "linear.onnx", FLOAT32)
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
