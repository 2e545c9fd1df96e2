from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from shapes import ONE_THREAD

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.sessions import open_session
from tunesmith.neural.transformer_nodes import (
    RotaryPositions,
    add_and_rms_norm,
    attention,
    cut,
    expand,
    integers,
    rms_norm,
    silu,
    split,
)

Array = npt.NDArray[np.float32]
ROWS, POSITIONS, HEADS, HEAD = 2, 5, 3, 8
WIDTH = HEADS * HEAD


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def computed(folder: Path, build: Callable[..., str], *inputs: Array) -> Array:
    """Run a graph that ``build`` makes of a builder and the names of its inputs."""
    path = folder / "graph.onnx"
    with GraphBuilder(path) as builder:
        names = [builder.input(f"x{i}", np.float32, list(array.shape)) for i, array in enumerate(inputs)]
        builder.nodes("Identity", [build(builder, *names)], ["y"])
        builder.output("y", np.float32, [f"axis_{axis}" for axis in range(4)][: inputs[0].ndim])
    feeds = {f"x{i}": array for i, array in enumerate(inputs)}
    result: Array = open_session(path, ONE_THREAD).run(None, feeds)[0]
    return result


def heads(x: Array) -> Array:
    return x.reshape(*x.shape[:2], HEADS, HEAD).transpose(0, 2, 1, 3)


def root_mean_square(x: Array, epsilon: float) -> Array:
    return np.asarray(np.sqrt((x**2).mean(-1, keepdims=True) + epsilon))


def test_silu_is_the_number_times_its_sigmoid(tmp_path: Path) -> None:
    x = numbers(POSITIONS, WIDTH)
    np.testing.assert_allclose(computed(tmp_path, silu, x), x / (1 + np.exp(-x)), atol=1e-6)


def test_a_norm_divides_by_the_root_mean_square(tmp_path: Path) -> None:
    x, gain = numbers(POSITIONS, WIDTH), numbers(WIDTH, seed=1)
    found = computed(tmp_path, lambda builder, x, gain: rms_norm(builder, x, gain, 0.1), x, gain)
    np.testing.assert_allclose(found, x / root_mean_square(x, 0.1) * gain, atol=1e-5)


def test_an_update_and_its_bias_are_added_before_the_norm(tmp_path: Path) -> None:
    residual, update, gain, bias = numbers(4, 6), numbers(4, 6, seed=1), numbers(6, seed=2), numbers(6, seed=3)
    total = residual + update + bias
    for output, expected in enumerate((total / root_mean_square(total, 0.1) * gain, total)):

        def build(builder: GraphBuilder, x: str, y: str, gain: str, bias: str, output: int = output) -> str:
            return add_and_rms_norm(builder, x, y, gain, 0.1, bias)[output]

        np.testing.assert_allclose(computed(tmp_path, build, residual, update, gain, bias), expected, atol=1e-5)


def test_rotary_positions_turn_pairs_of_the_first_dimensions(tmp_path: Path) -> None:
    x, rotary = numbers(ROWS, POSITIONS, WIDTH), 4

    def build(builder: GraphBuilder, x: str) -> str:
        return RotaryPositions.up_to(builder, 9, HEADS, rotary, theta=100.0).turn(builder, x)

    expected = x.reshape(ROWS, POSITIONS, HEADS, HEAD).copy()
    for position in range(POSITIONS):
        for pair in range(rotary // 2):
            turn = np.exp(1j * position * 100.0 ** (-2 * pair / rotary))
            other = pair + rotary // 2
            turned = (expected[:, position, :, pair] + 1j * expected[:, position, :, other]) * turn
            expected[:, position, :, pair], expected[:, position, :, other] = turned.real, turned.imag
    np.testing.assert_allclose(computed(tmp_path, build, x), expected.reshape(x.shape), atol=1e-5)


def test_attention_weighs_the_values_by_scores_and_bias(tmp_path: Path) -> None:
    queries, keys, values = (
        numbers(ROWS, POSITIONS, WIDTH),
        numbers(ROWS, 4, WIDTH, seed=1),
        numbers(ROWS, 4, WIDTH, seed=2),
    )
    bias = numbers(ROWS, 1, POSITIONS, 4, seed=3)

    def build(builder: GraphBuilder, queries: str, keys: str, values: str, bias: str) -> str:
        return attention(builder, queries, keys, values, HEADS, bias)

    found = computed(tmp_path, build, queries, keys, values, bias)
    weights = np.exp(heads(queries) @ heads(keys).swapaxes(-1, -2) / np.sqrt(HEAD) + bias)
    attended = weights / weights.sum(-1, keepdims=True) @ heads(values)
    np.testing.assert_allclose(found, attended.transpose(0, 2, 1, 3).reshape(found.shape), atol=1e-5)


def test_split_cut_and_expand(tmp_path: Path) -> None:
    x = numbers(4, 6)
    np.testing.assert_array_equal(computed(tmp_path, lambda b, x: split(b, x, 3)[1], x), x[:, 2:4])
    np.testing.assert_array_equal(computed(tmp_path, lambda b, x: cut(b, x, 1, -1, 0), x), x[1:-1])
    repeated = computed(tmp_path, lambda b, x: expand(b, x, integers(b, 3), integers(b, 6)), x[:1])
    np.testing.assert_array_equal(repeated, np.tile(x[:1], (3, 1)))
