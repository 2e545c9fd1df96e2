"""Products of matrices on one thread."""

import numpy as np
import pytest

from tunesmith.audio.single_thread_matmul import SHARED_OUT, single_thread_matmul


@pytest.mark.parametrize(("count", "width"), [(0, 8), (1, 8), (49, 96), (50, 96), (1000, 96), (7, 100_000)])
def test_a_product_is_that_of_numpy_whatever_its_size(count: int, width: int) -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(count, 55)).astype(np.float32)
    matrix = random.normal(size=(55, width)).astype(np.float32)
    assert single_thread_matmul(rows, matrix).dtype == np.float32
    np.testing.assert_allclose(single_thread_matmul(rows, matrix), rows @ matrix, atol=1e-4)


def test_rows_may_overlap_in_memory() -> None:
    samples = np.arange(2 * SHARED_OUT // 512, dtype=np.float32) % 17
    rows = np.lib.stride_tricks.sliding_window_view(samples, 32)[::16]
    matrix = np.eye(32, 64, dtype=np.float32)
    np.testing.assert_array_equal(single_thread_matmul(rows, matrix)[:, :32], rows)
