"""The errors of a layer's forms, and the choice among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.neural.quantization import LINEAR_FORMS, QUANTIZATIONS, ROWS_CORRECTED
from tunesmith.neural.quantization_error import (
    RELATIVE_TIMES,
    LayerErrors,
    bfloat16_error,
    choose_forms,
    measure_layer,
)

NAMES = list(RELATIVE_TIMES)


def layer(rng: np.random.Generator, loud: float = 1.0) -> LayerErrors:
    inputs = rng.standard_normal((48, 256)).astype(np.float32)
    inputs[:, 3] *= loud
    return measure_layer(inputs, rng.standard_normal((64, 256)).astype(np.float32))


def test_a_finer_form_is_closer_and_float32_is_exact() -> None:
    errors = layer(np.random.default_rng(1)).by_form
    assert errors["rows8"] > errors["blockwise8-32"] > errors["float32"] == 0
    assert errors["rows8"] < 0.02


def test_a_loud_channel_coarsens_its_row_but_not_the_other_blocks() -> None:
    rng = np.random.default_rng(2)
    quiet, loud = layer(rng).by_form, layer(rng, loud=100.0).by_form
    assert loud["rows8"] > 1.5 * quiet["rows8"]
    assert loud["blockwise8-32"] < 0.5 * loud["rows8"]


def test_the_correction_takes_the_error_of_the_mean_away() -> None:
    rng = np.random.default_rng(4)
    weight = rng.standard_normal((64, 256)).astype(np.float32)
    # Two pieces, whose positions hardly differ among themselves.
    inputs = (rng.standard_normal((2, 1, 256)) + 0.01 * rng.standard_normal((2, 48, 256))).astype(np.float32)
    forms = {name: LINEAR_FORMS[name] for name in ("rows8", "rows8-corrected")}
    errors = measure_layer(inputs, weight, forms).by_form
    # What is left is the rounding of the activations, which is independent of it and about as large.
    assert errors["rows8-corrected"] < 0.85 * errors["rows8"]
    apart = measure_layer(inputs - inputs.mean(axis=1, keepdims=True), weight, forms).by_form
    assert apart["rows8-corrected"] == pytest.approx(apart["rows8"], rel=0.01)


def test_eight_bits_are_closer_than_four_and_bfloat16_is_closer_than_both() -> None:
    rng = np.random.default_rng(3)
    inputs, weight = (rng.standard_normal((rows, 200)).astype(np.float32) for rows in (48, 64))
    errors = measure_layer(inputs, weight, QUANTIZATIONS).by_form
    assert errors["int4"] > 8 * errors["int8"] > 8 * errors["int8-32"] > 8 * bfloat16_error(inputs, weight) > 0.01
    assert errors["int4"] < 0.12
    assert errors["none"] == 0


errors_of_layers = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.tuples(
        st.floats(1e-4, 0.2), st.sampled_from([(64, 64), (256, 64), (64, 256)]), st.floats(0.01, 1.0)
    ).map(
        lambda drawn: LayerErrors(
            drawn[1], dict(zip(NAMES, (drawn[0], 0.0), strict=True)), drawn[2]
        )
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(errors_of_layers, st.floats(0.0, 1.0))
def test_the_choice_meets_the_share(errors: dict[str, LayerErrors], share: float) -> None:
    chosen = choose_forms(errors, share)
    names = {form: name for name, form in LINEAR_FORMS.items()}
    total = sum(errors[one].effect(names[form]) ** 2 for one, form in chosen.items())
    fastest = sum(one.effect(NAMES[0]) ** 2 for one in errors.values())
    assert chosen.keys() == errors.keys()
    assert total <= fastest * share**2 + 1e-12


@given(errors_of_layers)
def test_nothing_changes_where_the_fastest_forms_are_good_enough(errors: dict[str, LayerErrors]) -> None:
    assert set(choose_forms(errors, 1.0).values()) == {ROWS_CORRECTED}


def test_a_silent_layer_has_no_error() -> None:
    silent = measure_layer(np.zeros((4, 32), np.float32), np.ones((8, 32), np.float32))
    assert all(error == pytest.approx(0) for error in silent.by_form.values())


def test_a_layer_whose_update_is_small_beside_the_hidden_states_keeps_the_fastest_form() -> None:
    by_form = dict(zip(NAMES, (0.01, 0.0), strict=True))
    errors = {name: LayerErrors((64, 64), by_form, share) for name, share in (("large", 0.5), ("small", 0.05))}
    chosen = choose_forms(errors, 0.2)
    assert (chosen["large"], chosen["small"]) == (None, ROWS_CORRECTED)
