from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from shapes import ONE_THREAD

from tunesmith.neural import feed_forward
from tunesmith.neural.feed_forward import GatedWeights, add_gated_feed_forward
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import BLOCKWISE, LINEAR_FORMS, ROWS, LayerForms, LinearForm
from tunesmith.neural.sessions import open_session

Array = npt.NDArray[np.float32]
WIDTH, INNER = 32, 80


def numbers(*shape: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


WEIGHTS = GatedWeights(
    inner=numbers(2 * INNER, WIDTH, seed=1), inner_bias=numbers(2 * INNER, seed=2),
    outer=numbers(WIDTH, INNER, seed=3), inner_layer="inner", outer_layer="outer",
)  # fmt: skip
X, GAIN = numbers(7, WIDTH, seed=4), numbers(WIDTH, seed=5)


def written_out() -> Array:
    """Compute the layer the slow obvious way."""
    values, gate = np.split(X @ WEIGHTS.inner.T + WEIGHTS.inner_bias, 2, axis=1)
    return np.asarray((values * gate / (1 + np.exp(-gate))) @ WEIGHTS.outer.T * GAIN)


def error(path: Path, forms: LayerForms | LinearForm) -> float:
    with GraphBuilder(path, forms) as builder:
        x, gain = builder.input("x", np.float32, ["n", WIDTH]), builder.input("gain", np.float32, [WIDTH])
        builder.nodes("Identity", [add_gated_feed_forward(builder, x, WEIGHTS, gain)], ["y"])
        builder.output("y", np.float32, ["n", WIDTH])
    (y,) = open_session(path, ONE_THREAD).run(None, {"x": X, "gain": GAIN})
    return float(np.linalg.norm(y - written_out()) / np.linalg.norm(written_out()))


@pytest.mark.parametrize("name", LINEAR_FORMS)
def test_a_layer_is_what_its_formula_says(tmp_path: Path, name: str) -> None:
    assert error(tmp_path / "layer.onnx", LINEAR_FORMS[name]) < (1e-5 if name == "float32" else 0.03)


def test_groups_change_nothing_but_the_rounding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = error(tmp_path / "whole.onnx", ROWS)
    monkeypatch.setattr(feed_forward, "GROUP", 30)
    assert error(tmp_path / "grouped.onnx", ROWS) < 1.1 * whole
    # The inner numbers of three groups, and their outer products.
    assert products(tmp_path / "grouped.onnx") == 9


def test_a_layer_of_two_forms_is_one_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_forward, "GROUP", 30)
    assert error(tmp_path / "mixed.onnx", LayerForms(default=ROWS, narrowing=BLOCKWISE)) < 0.03
    assert products(tmp_path / "mixed.onnx") == 2


def test_the_second_product_alone_by_rows_keeps_the_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = LayerForms(by_layer={"inner": None, "outer": ROWS})
    monkeypatch.setattr(feed_forward, "GROUP", 30)
    assert error(tmp_path / "grouped.onnx", forms) < 0.03
    assert products(tmp_path / "grouped.onnx") == 3


def products(path: Path) -> int:
    nodes = onnx.load(path, load_external_data=False).graph.node
    return sum(node.op_type == "MatMulIntegerToFloat" for node in nodes)
