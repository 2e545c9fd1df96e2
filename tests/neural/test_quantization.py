from __future__ import annotations

import numpy as np
import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunesmith.neural.quantization import QUANTIZATIONS, Quantization, quantize, quantize_rows

KINDS = [kind for kind in QUANTIZATIONS.values() if kind]


def restored(weight: NDArray[np.float32], kind: Quantization) -> NDArray[np.float32]:
    """Undo the quantization, the slow obvious way: what MatMulNBits computes with."""
    packed, scales = quantize(weight, kind)
    if kind.bits == 4:
        packed = np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:2], -1)
    values = (packed.astype(np.float32) - 2 ** (kind.bits - 1)) * scales[..., None]
    whole: NDArray[np.float32] = values.reshape(len(weight), -1)[:, : weight.shape[1]]
    return whole


@VALUES
@given(st.sampled_from(KINDS), st.integers(1, 5), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_no_weight_moves_by_more_than_a_step(kind: Quantization, outputs: int, inputs: int, seed: int) -> None:
    weight = np.random.default_rng(seed).standard_normal((outputs, inputs)).astype(np.float32)
    _, scales = quantize(weight, kind)
    steps = np.repeat(np.abs(scales), kind.block_size, axis=1)[:, :inputs]
    assert (np.abs(restored(weight, kind) - weight) <= 1.001 * steps).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_strongest_weight_of_a_block_is_kept(kind: Quantization) -> None:
    weight = np.zeros((1, kind.block_size), np.float32)
    weight[0, 3] = -0.75
    np.testing.assert_allclose(restored(weight, kind), weight, atol=1e-7)


def test_zeros_stay_zeros() -> None:
    assert not restored(np.zeros((2, 64), np.float32), Quantization(8, 32)).any()


def test_more_bits_and_smaller_blocks_are_closer() -> None:
    weight = np.random.default_rng(0).standard_normal((64, 512)).astype(np.float32)
    errors = {name: np.abs(restored(weight, kind) - weight).mean() for name, kind in QUANTIZATIONS.items() if kind}
    assert errors["int8-32"] < errors["int8"] < errors["int4"]


@given(st.integers(1, 5), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_no_weight_moves_by_more_than_half_a_step_of_its_row(outputs: int, inputs: int, seed: int) -> None:
    weight = np.random.default_rng(seed).standard_normal((outputs, inputs)).astype(np.float32)
    codes, scales = quantize_rows(weight)
    assert np.abs(codes.astype(int)).max(axis=1).tolist() == [127] * outputs
    assert (np.abs(codes * scales[:, None] - weight) <= 0.501 * scales[:, None]).all()


def test_a_row_of_zeros_stays_zeros() -> None:
    codes, scales = quantize_rows(np.zeros((2, 8), np.float32))
    assert not codes.any()
    assert (scales > 0).all()
