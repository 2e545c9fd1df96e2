"""The ONNX runner computes what transformers computes, with the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from runner_laws import KINDS, Array, Reference, Row, rows_of, some_codes, some_states, step
from shapes import ONE_THREAD

from tunesmith.musicgen.graph.decoder import build_cross_attention, build_decoder, embedding_tables
from tunesmith.musicgen.model_folder import CROSS_ATTENTION, DECODER, EMBEDDINGS
from tunesmith.musicgen.onnx.onnx_runner import OnnxRunner
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import QUANTIZATIONS


def write_graphs(reference: Reference, folder: Path, quantize: str = "none") -> Path:
    builders = {DECODER: build_decoder, CROSS_ATTENTION: build_cross_attention}
    if reference.architecture.chroma:
        del builders[CROSS_ATTENTION]
    for name, build in builders.items():
        with GraphBuilder(folder / name, QUANTIZATIONS[quantize]) as builder:
            build(builder, reference.architecture, reference.weights)
    np.save(folder / EMBEDDINGS, embedding_tables(reference.architecture, reference.weights))
    return folder


@pytest.fixture(scope="module", params=KINDS)
def reference(request: pytest.FixtureRequest) -> Reference:
    return Reference(request.param)


@pytest.fixture
def runner(reference: Reference, tmp_path: Path) -> OnnxRunner:
    return OnnxRunner(write_graphs(reference, tmp_path), reference.architecture, num_rows=4, options=ONE_THREAD)


@pytest.mark.parametrize("chunks", [[1], [7], [4, 1, 9]])
def test_a_prompt_taken_in_at_once_or_by_chunks_scores_the_same(
    reference: Reference, runner: OnnxRunner, chunks: list[int]
) -> None:
    row = Row(runner, 2, some_states(reference.architecture, 11, 3))
    for number, count in enumerate(chunks):
        logits = row.extend(some_codes(reference.architecture, count, number))
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


def test_rows_at_different_positions_score_as_each_alone(reference: Reference, runner: OnnxRunner) -> None:
    rows = rows_of(runner)
    rows[0].extend(some_codes(reference.architecture, 9, 5))
    rows[2].extend(some_codes(reference.architecture, 2, 6))
    for number in range(4):
        logits = step(runner, rows, 10 * number, [True, True, True])
        for row in rows:
            np.testing.assert_allclose(logits[row.index], reference.logits(row.codes, row.states), atol=1e-4)


def test_rows_that_do_not_advance_stay_as_they_are(reference: Reference, runner: OnnxRunner) -> None:
    rows = rows_of(runner)
    for number, advancing in enumerate([[True, True, True], [False, True, False], [True, False, True]]):
        logits = step(runner, rows, 10 * number, advancing)
        for row in (row for row, moves in zip(rows, advancing, strict=True) if moves):
            np.testing.assert_allclose(logits[row.index], reference.logits(row.codes, row.states), atol=1e-4)


def test_a_copied_row_goes_on_like_the_original(reference: Reference, runner: OnnxRunner) -> None:
    rows = rows_of(runner)
    step(runner, rows, 0, [True, True, True])
    runner.copy_row(2, 0)
    codes = some_codes(reference.architecture, 3, 7)
    np.testing.assert_array_equal(runner.extend(0, codes), runner.extend(2, codes))


def test_growing_in_the_middle_changes_nothing(reference: Reference, runner: OnnxRunner) -> None:
    row = Row(runner, 0, some_states(reference.architecture, 4, 3), capacity=60)
    row.extend(some_codes(reference.architecture, 5, 1))
    Row(runner, 1, some_states(reference.architecture, 70, 4), capacity=900)
    logits = step(runner, [row], 3, [True])[0]
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


def test_a_closed_row_opens_again_as_new(reference: Reference, runner: OnnxRunner) -> None:
    Row(runner, 0, some_states(reference.architecture, 4, 3)).extend(some_codes(reference.architecture, 5, 1))
    runner.close_row(0)
    row = Row(runner, 0, some_states(reference.architecture, 8, 5))
    logits = row.extend(some_codes(reference.architecture, 2, 2))
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


@pytest.mark.parametrize(("quantize", "error"), [("int8", 0.05), ("int8-32", 0.035), ("int4", 0.5)])
def test_quantized_scores_are_as_close_as_measured(
    reference: Reference, tmp_path: Path, quantize: str, error: float
) -> None:
    runner = OnnxRunner(write_graphs(reference, tmp_path, quantize), reference.architecture, options=ONE_THREAD)
    row = Row(runner, 0, some_states(reference.architecture, 11, 3))
    logits = row.extend(some_codes(reference.architecture, 12, 0))
    wanted = reference.logits(row.codes, row.states)
    assert np.linalg.norm(logits - wanted) / np.linalg.norm(wanted) < error


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_a_row_scores_the_same_bits_alone_and_in_company(reference: Reference, tmp_path: Path, quantize: str) -> None:
    runner = OnnxRunner(
        write_graphs(reference, tmp_path, quantize), reference.architecture, num_rows=4, options=ONE_THREAD
    )
    prompt, codes = some_codes(reference.architecture, 3, 1), some_codes(reference.architecture, 1, 2)[:, 0]

    def score(index: int, count: int) -> Array:
        rows = [Row(runner, i, some_states(reference.architecture, 5 + 30 * abs(i - index), 3)) for i in range(count)]
        for row in rows:
            row.extend(prompt)
        return np.array(runner.step(np.tile(codes, (count, 1)), np.ones(count, np.bool_))[index])

    alone = score(0, 1)
    for index, count in ((0, 2), (1, 3), (3, 4)):
        np.testing.assert_array_equal(score(index, count), alone)
