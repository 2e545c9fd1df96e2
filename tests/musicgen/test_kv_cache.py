from __future__ import annotations

import numpy as np
import pytest
from shapes import TINY, TINY_MELODY

from tunesmith.musicgen.kv_cache import HIDDEN, KVCache


def cross(tokens: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((4, 2, tokens, 64), tokens, np.float32)


def test_a_row_sees_its_own_text_and_nothing_of_longer_ones() -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, cross(3), 10)
    memory.open(1, cross(40), 10)
    bias = memory.cross_inputs(slice(0, 2), 1)["cross_bias"]
    assert (bias[0, 0, 0] == 0).sum() == 3
    assert (bias[1, 0, 0] == 0).sum() == 40
    assert bias.min() == HIDDEN


def test_a_row_that_attends_to_nothing_has_only_zero_values() -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, None, 10)
    memory.open(1, cross(40), 10)
    inputs = memory.cross_inputs(slice(0, 1), 1)
    assert not any(array.any() for name, array in inputs.items() if name.startswith("cross_value"))
    assert (inputs["cross_bias"] == 0).any()


def test_growing_keeps_what_the_rows_hold() -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, cross(3), 10)
    for _, cache in memory.caches(slice(0, 1)):
        cache[:, :, :10] = 7
    assert memory.open(1, None, 1000)
    for _, cache in memory.caches(slice(0, 1)):
        assert (cache[:, :, :10] == 7).all()
        assert cache.shape[2] > 1000


def test_a_row_that_fits_moves_nothing() -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, cross(3), 100)
    assert not memory.open(1, cross(2), 90)


def test_a_copied_row_is_the_same_row() -> None:
    memory = KVCache(TINY, 3)
    for row, tokens in enumerate((3, 5, 9)):
        memory.open(row, cross(tokens), 20)
        memory.lengths[row] = tokens
    memory.copy(2, 0)
    inputs = memory.cross_inputs(slice(0, 3), 1)
    assert memory.lengths.tolist() == [9, 5, 9]
    assert all((array[0] == array[2]).all() for array in inputs.values())


def test_with_the_last_row_the_memory_goes() -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, None, 1000)
    memory.open(1, None, 1000)
    assert not memory.close(0)
    assert memory.close(1)
    assert all(cache.shape[2] == 0 for _, cache in memory.caches(slice(0, 2)))


def test_melody_models_have_no_cross_attention() -> None:
    memory = KVCache(TINY_MELODY, 2)
    memory.open(0, None, 10)
    assert memory.cross_inputs(slice(0, 2), 1) == {}


@pytest.mark.parametrize("positions", [1, 5])
def test_every_position_of_a_chunk_gets_the_bias(positions: int) -> None:
    memory = KVCache(TINY, 2)
    memory.open(0, cross(3), 10)
    assert memory.cross_inputs(slice(0, 1), positions)["cross_bias"].shape[2] == positions
