"""Reference graphs: float32 up to the rounding of weights, bfloat16 as a run in bfloat16 rounds."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import numpy.typing as npt

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.reference_graph import OBSERVED, SHARE, ReferenceGraphBuilder
from tunesmith.neural.sessions import SessionOptions, open_session
from tunesmith.neural.transformer_nodes import add_and_rms_norm, silu

Array = npt.NDArray[np.float32]

RNG = np.random.default_rng(7)
FIRST, SECOND = ((RNG.standard_normal((64, 64)) / 8).astype(np.float32) for _ in range(2))
INPUTS = RNG.standard_normal((5, 64)).astype(np.float32)


def output_of(builder: GraphBuilder) -> dict[str, Array]:
    with builder:
        x = builder.input("x", np.float32, ["rows", 64])
        hidden = silu(builder, builder.linear(x, FIRST, layer="first"))
        builder.nodes("Identity", [builder.linear(hidden, SECOND, layer="second")], ["y"])
        builder.output("y", np.float32, ["rows", 64])
    session = open_session(builder.path, SessionOptions(optimize=False))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": INPUTS}), strict=True))


def hidden_state(x: Array) -> Array:
    product = x @ FIRST.T
    return np.asarray(product / (1 + np.exp(-product)), np.float32)


def test_float32_differs_only_by_the_rounding_of_the_weights(tmp_path: Path) -> None:
    exact = output_of(GraphBuilder(tmp_path / "exact.onnx"))["y"]
    reference = output_of(ReferenceGraphBuilder(tmp_path / "reference.onnx", "float32"))["y"]
    assert 0 < np.abs(reference - exact).max() < 2e-3


def test_bfloat16_rounds_weights_and_results(tmp_path: Path) -> None:
    found = output_of(ReferenceGraphBuilder(tmp_path / "reference.onnx", "bfloat16"))["y"]
    assert (found == found.astype(ml_dtypes.bfloat16).astype(np.float32)).all()
    exact = output_of(GraphBuilder(tmp_path / "exact.onnx"))["y"]
    error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    assert 1e-3 < error < 1e-2


def test_the_inputs_of_layers_are_observed(tmp_path: Path) -> None:
    found = output_of(ReferenceGraphBuilder(tmp_path / "observed.onnx", "float32", observe=True))
    np.testing.assert_array_equal(found[f"{OBSERVED}first"], INPUTS)
    np.testing.assert_allclose(found[f"{OBSERVED}second"], hidden_state(INPUTS), atol=2e-3)


def test_only_the_last_rows_are_observed_if_so_many_are_wanted(tmp_path: Path) -> None:
    found = output_of(ReferenceGraphBuilder(tmp_path / "observed.onnx", "float32", observe=True, last=2))
    np.testing.assert_array_equal(found[f"{OBSERVED}first"], INPUTS[-2:])


def test_what_is_rounded_can_be_chosen(tmp_path: Path) -> None:
    builder = ReferenceGraphBuilder(tmp_path / "reference.onnx", "bfloat16", rounded=frozenset())
    found = output_of(builder)["y"]
    assert (found != found.astype(ml_dtypes.bfloat16).astype(np.float32)).any()


def test_the_size_of_an_update_is_that_of_every_layer_that_made_it(tmp_path: Path) -> None:
    with ReferenceGraphBuilder(tmp_path / "shares.onnx", "float32", observe=True, shares=True) as builder:
        x = builder.input("x", np.float32, ["rows", 64])
        update = builder.linear(builder.linear(x, FIRST, layer="first"), SECOND, layer="second")
        normed, total = add_and_rms_norm(builder, x, update, builder.constant(np.ones(64, np.float32)), 1e-5)
        last = builder.linear(normed, FIRST, layer="last")
        builder.nodes("Add", [total, last], ["y"])
        builder.output("y", np.float32, ["rows", 64])
    session = open_session(builder.path, SessionOptions(optimize=False))
    names = [output.name for output in session.get_outputs() if output.name.startswith(SHARE)]
    found = dict(zip(names, session.run(names, {"x": INPUTS}), strict=True))
    added = INPUTS @ FIRST.T @ SECOND.T
    ratios = np.linalg.norm(added, axis=1) / np.linalg.norm(INPUTS + added, axis=1)
    # No norm follows the last update.
    assert found.keys() == {f"{SHARE}first", f"{SHARE}second"}
    np.testing.assert_allclose(list(found.values()), np.sqrt(np.mean(ratios**2)), rtol=1e-3)
