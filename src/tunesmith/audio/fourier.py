"""Fourier transforms of real signals along the last axis: the results of ``scipy.fft``, without its import (0.2 s).

NumPy's own transforms differ from SciPy's in the last bit, and between versions of NumPy in the type.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tunesmith.audio.scipy_kernels import kernel

# Loaded with this module, under its import lock, as the filters are.
_pocketfft = kernel("scipy.fft._pocketfft.pypocketfft")
# How the kernel scales: not at all, or by the size.
_PLAIN, _BY_SIZE = 0, 2


def rfft(signal: npt.NDArray[Any], size: int | None = None) -> npt.NDArray[Any]:
    """Return the spectrum of ``signal``, cut or padded with zeros to ``size`` samples: (..., size // 2 + 1)."""
    return np.asarray(_pocketfft.r2c(_fitted(signal, size), (-1,), True, _PLAIN, None, 1))


def irfft(spectrum: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Return the ``size`` samples of a ``spectrum``."""
    return np.asarray(_pocketfft.c2r(_fitted(spectrum, size // 2 + 1), (-1,), size, False, _BY_SIZE, None, 1))


def next_fast_len(samples: int) -> int:
    """Return the next size from ``samples`` on whose transform is quick."""
    return int(_pocketfft.good_size(samples, True))


def _fitted(values: npt.NDArray[Any], size: int | None) -> npt.NDArray[Any]:
    length = values.shape[-1]
    if size is None or size == length:
        return values
    if size < length:
        return values[..., :size]
    padded = np.zeros((*values.shape[:-1], size), values.dtype)
    padded[..., :length] = values
    return padded
