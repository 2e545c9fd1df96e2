"""Matrix products on a single thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHARED_OUT = 1 << 18
"""The number of multiplications from which OpenBLAS (interface/gemm.c) splits a product between its threads."""


def single_thread_matmul(rows: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return ``rows @ matrix``, (n, k) @ (k, m) -> (n, m), in pieces that BLAS does not split between threads.

    BLAS threads spin while they wait for each other: on a busy machine, that takes many times as long.
    """
    size = max(1, SHARED_OUT // max(1, matrix.size))
    whole = len(rows) // size * size
    done = np.empty((len(rows), matrix.shape[1]), np.float32)
    if whole:
        # NumPy multiplies a stack one matrix at a time, and each is below BLAS's limit.
        parts = rows[:whole].reshape(-1, size, rows.shape[1])
        np.matmul(parts, matrix, out=done[:whole].reshape(-1, size, matrix.shape[1]))
    done[whole:] = rows[whole:] @ matrix
    return done
