"""Products of matrices on one thread, whatever else the machine is doing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHARED_OUT = 1 << 18
"""From so many multiplications on, OpenBLAS (interface/gemm.c) gives a product to all of its threads."""


def single_thread_matmul(rows: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return ``rows @ matrix``, computed in pieces that BLAS does not share out between threads.

    Those threads spin while they wait for each other: where another program is busy, that takes many times as long.
    """
    size = max(1, SHARED_OUT // max(1, matrix.size))
    whole = len(rows) // size * size
    done = np.empty((len(rows), matrix.shape[1]), np.float32)
    if whole:
        pieces = rows[:whole].reshape(-1, size, rows.shape[1])
        np.matmul(pieces, matrix, out=done[:whole].reshape(-1, size, matrix.shape[1]))
    done[whole:] = rows[whole:] @ matrix
    return done
