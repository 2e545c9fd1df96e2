"""The torch runner computes what transformers computes, with the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from lazy_modules import LazyModule
from runner_laws import KINDS, Array, Reference, Row, rows_of, some_codes, some_states, step

from tunesmith.musicgen.checkpoint import Checkpoint

if TYPE_CHECKING:
    import torch

    from tunesmith.musicgen.torch.torch_runner import TorchRunner
else:
    torch = LazyModule("torch")


@pytest.fixture(scope="module", params=KINDS)
def reference(request: pytest.FixtureRequest) -> Reference:
    return Reference(request.param)


@pytest.fixture
def runner(reference: Reference) -> TorchRunner:
    from tunesmith.musicgen.torch.torch_runner import TorchRunner

    return TorchRunner(Checkpoint(reference.architecture, reference.weights, Path()), "cpu", num_rows=4)


def test_a_text_is_encoded_as_by_transformers(reference: Reference, runner: TorchRunner) -> None:
    tokens = np.random.default_rng(1).integers(0, 128, 150)
    with torch.inference_mode():
        encoded = reference.model.text_encoder(input_ids=torch.from_numpy(tokens)[None]).last_hidden_state
        wanted = reference.model.enc_to_dec_proj(encoded)[0].numpy()
    np.testing.assert_allclose(runner.encode_text(tokens.tolist()), wanted, atol=1e-4)


def test_greedy_codes_are_those_of_transformers(reference: Reference, runner: TorchRunner) -> None:
    row = Row(runner, 0, some_states(reference.architecture, 6, 1))
    logits: Array = row.extend(some_codes(reference.architecture, 1, 1))
    for _ in range(100):
        codes = logits.argmax(-1)
        assert np.array_equal(codes, reference.logits(row.codes, row.states).argmax(-1))
        row.codes = np.concatenate([row.codes, codes[:, None]], axis=1)
        logits = runner.step(codes[None], np.ones(1, np.bool_))[0]


@pytest.mark.parametrize("chunks", [[1], [7], [4, 1, 9]])
def test_a_prompt_taken_in_at_once_or_by_chunks_scores_the_same(
    reference: Reference, runner: TorchRunner, chunks: list[int]
) -> None:
    row = Row(runner, 2, some_states(reference.architecture, 11, 3))
    for number, count in enumerate(chunks):
        logits = row.extend(some_codes(reference.architecture, count, number))
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


def test_rows_at_different_positions_score_as_each_alone(reference: Reference, runner: TorchRunner) -> None:
    rows = rows_of(runner)
    rows[0].extend(some_codes(reference.architecture, 9, 5))
    rows[2].extend(some_codes(reference.architecture, 2, 6))
    for number in range(4):
        logits = step(runner, rows, 10 * number, [True, True, True])
        for row in rows:
            np.testing.assert_allclose(logits[row.index], reference.logits(row.codes, row.states), atol=1e-4)


def test_rows_that_do_not_advance_stay_as_they_are(reference: Reference, runner: TorchRunner) -> None:
    rows = rows_of(runner)
    for number, advancing in enumerate([[True, True, True], [False, True, False], [True, False, True]]):
        logits = step(runner, rows, 10 * number, advancing)
        for row in (row for row, moves in zip(rows, advancing, strict=True) if moves):
            np.testing.assert_allclose(logits[row.index], reference.logits(row.codes, row.states), atol=1e-4)


def test_a_copied_row_goes_on_like_the_original(reference: Reference, runner: TorchRunner) -> None:
    rows = rows_of(runner)
    step(runner, rows, 0, [True, True, True])
    runner.copy_row(2, 0)
    codes = some_codes(reference.architecture, 3, 7)
    np.testing.assert_array_equal(runner.extend(0, codes), runner.extend(2, codes))


def test_growing_in_the_middle_changes_nothing(reference: Reference, runner: TorchRunner) -> None:
    row = Row(runner, 0, some_states(reference.architecture, 4, 3), capacity=60)
    row.extend(some_codes(reference.architecture, 5, 1))
    Row(runner, 1, some_states(reference.architecture, 70, 4), capacity=900)
    logits = step(runner, [row], 3, [True])[0]
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


def test_a_closed_row_opens_again_as_new(reference: Reference, runner: TorchRunner) -> None:
    Row(runner, 0, some_states(reference.architecture, 4, 3)).extend(some_codes(reference.architecture, 5, 1))
    runner.close_row(0)
    row = Row(runner, 0, some_states(reference.architecture, 8, 5))
    logits = row.extend(some_codes(reference.architecture, 2, 2))
    np.testing.assert_allclose(logits, reference.logits(row.codes, row.states), atol=1e-4)


def test_a_row_never_outgrows_what_it_was_opened_for(reference: Reference, runner: TorchRunner) -> None:
    row = Row(runner, 0, some_states(reference.architecture, 3, 1), capacity=8)
    with pytest.raises(ValueError, match="opened for 8"):
        row.extend(some_codes(reference.architecture, 9, 1))
