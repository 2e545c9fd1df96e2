"""The ONNX runner computes what transformers computes, with the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import CODEBOOK_SIZE, make_musicgen
from numpy.typing import NDArray
from shapes import ONE_THREAD, TINY, TINY_MELODY

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.graph.builder import GraphBuilder
from tunesmith.musicgen.graph.decoder import build_cross_attention, build_decoder, embedding_tables
from tunesmith.musicgen.graph.quantization import QUANTIZATIONS
from tunesmith.musicgen.model_folder import CROSS_ATTENTION, DECODER, EMBEDDINGS
from tunesmith.musicgen.onnx_runner import OnnxRunner

STEREO = replace(
    TINY, decoder=replace(TINY.decoder, num_codebooks=8), delays=(0, 0, 1, 1, 2, 2, 3, 3), audio_channels=2
)
KINDS = {"text": TINY, "stereo": STEREO, "melody": TINY_MELODY}
Array = NDArray[Any]


class Reference:
    """transformers' decoder: what it says after any row's whole history."""

    def __init__(self, kind: str) -> None:
        self.architecture = KINDS[kind]
        model_kind: Any = "melody" if kind == "melody" else "text"
        self.model = make_musicgen(kind=model_kind, audio_channels=self.architecture.audio_channels)
        self.weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}

    def logits(self, codes: Array, states: Array | None) -> Array:
        """Return the last position's (codebooks, size) after codes (codebooks, positions)."""
        import torch

        hidden = np.zeros((1, self.architecture.decoder.hidden_size), np.float32) if states is None else states
        with torch.inference_mode():
            result = self.model.decoder(
                input_ids=torch.from_numpy(codes), encoder_hidden_states=torch.from_numpy(hidden)[None]
            )
        return np.asarray(result.logits[:, -1])

    def write_graphs(self, folder: Path, quantize: str = "none") -> Path:
        builders = {DECODER: build_decoder, CROSS_ATTENTION: build_cross_attention}
        if self.architecture.chroma:
            del builders[CROSS_ATTENTION]
        for name, build in builders.items():
            with GraphBuilder(folder / name, QUANTIZATIONS[quantize]) as builder:
                build(builder, self.architecture, self.weights)
        np.save(folder / EMBEDDINGS, embedding_tables(self.architecture, self.weights))
        return folder


class Row:
    """One row of the runner beside its history."""

    def __init__(self, runner: OnnxRunner, index: int, states: Array | None, capacity: int = 400) -> None:
        self.runner, self.index, self.states = runner, index, states
        self.codes = np.zeros((runner.architecture.decoder.num_codebooks, 0), np.int64)
        if runner.architecture.chroma:
            runner.open_row(index, None, capacity)
            assert states is not None
            runner.extend_prefix(index, states)
        else:
            runner.open_row(index, states, capacity)

    def extend(self, codes: Array) -> Array:
        self.codes = np.concatenate([self.codes, codes], axis=1)
        return self.runner.extend(self.index, codes)


@pytest.fixture(scope="module", params=KINDS)
def reference(request: pytest.FixtureRequest) -> Reference:
    return Reference(request.param)


@pytest.fixture
def runner(reference: Reference, tmp_path: Path) -> OnnxRunner:
    return OnnxRunner(reference.write_graphs(tmp_path), reference.architecture, num_rows=4, options=ONE_THREAD)


def some_codes(architecture: Architecture, positions: int, seed: int) -> Array:
    codebooks = architecture.decoder.num_codebooks
    return np.random.default_rng(seed).integers(0, CODEBOOK_SIZE + 1, (codebooks, positions))


def some_states(architecture: Architecture, positions: int, seed: int) -> Array:
    size = (positions, architecture.decoder.hidden_size)
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def rows_of(runner: OnnxRunner) -> list[Row]:
    """Open a conditional, an unconditional and another conditional row, with texts of different lengths."""
    shape = runner.architecture
    nothing = some_states(shape, 6, 9) * 0 if shape.chroma else None
    return [
        Row(runner, 0, some_states(shape, 6, 1)),
        Row(runner, 1, nothing),
        Row(runner, 2, some_states(shape, 23, 2)),
    ]


def step(runner: OnnxRunner, rows: list[Row], seed: int, advancing: list[bool]) -> Array:
    codes = np.stack([some_codes(runner.architecture, 1, seed + row.index)[:, 0] for row in rows])
    for row, chosen, moves in zip(rows, codes, advancing, strict=True):
        if moves:
            row.codes = np.concatenate([row.codes, chosen[:, None]], axis=1)
    return runner.step(codes, np.array(advancing)).copy()


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
    runner = OnnxRunner(reference.write_graphs(tmp_path, quantize), reference.architecture, options=ONE_THREAD)
    row = Row(runner, 0, some_states(reference.architecture, 11, 3))
    logits = row.extend(some_codes(reference.architecture, 12, 0))
    wanted = reference.logits(row.codes, row.states)
    assert np.linalg.norm(logits - wanted) / np.linalg.norm(wanted) < error


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_a_row_scores_the_same_bits_alone_and_in_company(reference: Reference, tmp_path: Path, quantize: str) -> None:
    runner = OnnxRunner(
        reference.write_graphs(tmp_path, quantize), reference.architecture, num_rows=4, options=ONE_THREAD
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
