from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.stable_audio.conditions import NEVER, Conditioning, key_bias, stack, without_context


def conditioning(keys: int, seconds: float = 10.0) -> Conditioning:
    cross = np.full((1, keys, 4), keys, np.float32)
    return Conditioning(
        {
            "cross_key_0": cross,
            "cross_value_0": -cross,
            "global_condition": np.full((1, 4), seconds, np.float32),
            "key_bias": key_bias(keys - 2, 5, 1),
        }
    )


def softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def test_one_key_stands_for_all_the_padding() -> None:
    scores = np.random.default_rng(0).standard_normal(5)
    values = np.random.default_rng(1).standard_normal(5)
    # Three tokens, seven times the padding, the seconds.
    order = [0, 1, 2, *[3] * 7, 4]
    collapsed = softmax(scores + key_bias(3, 7, 1)[0, 0, 0])
    assert collapsed @ values == pytest.approx(softmax(scores[order]) @ values[order])


def test_a_text_without_padding_gives_it_no_attention() -> None:
    assert key_bias(3, 0, 2).ravel().tolist() == [0, 0, 0, np.float32(NEVER), 0, 0]
    assert key_bias(0, 12, 1).ravel().tolist() == pytest.approx([math.log(12), 0])


def test_shorter_texts_get_keys_without_attention() -> None:
    both = stack([conditioning(4), conditioning(6)])
    assert both.rows == 2
    assert both.inputs["cross_key_0"][:, :, 0].tolist() == [[4, 4, 4, 4, 0, 0], [6] * 6]
    assert (both.inputs["key_bias"][0, 0, 0, 4:] == np.float32(NEVER)).all()
    assert both.inputs["global_condition"].shape == (1, 4)


def test_rows_of_other_seconds_are_not_stacked() -> None:
    with pytest.raises(ValueError, match="same length in seconds"):
        stack([conditioning(4), conditioning(4, seconds=11.0)])


def test_without_context_one_key_of_zeros_is_left() -> None:
    empty = without_context(conditioning(6))
    assert {name: array.shape for name, array in empty.inputs.items()} == {
        "cross_key_0": (1, 1, 4), "cross_value_0": (1, 1, 4), "global_condition": (1, 4), "key_bias": (1, 1, 1, 1),
    }  # fmt: skip
    assert not any(empty.inputs[name].any() for name in ("cross_key_0", "cross_value_0", "key_bias"))
    assert empty.inputs["global_condition"].all()
