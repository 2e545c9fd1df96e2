"""Recursive filters along the last axis: the results of ``scipy.signal``, at a fraction of a call's cost.

SciPy checks and rearranges its arguments in Python for longer than it filters a short note, and holds the interpreter's
lock while it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tunesmith.audio.scipy_kernels import kernel

Signal = npt.NDArray[Any]

PAIRED_SECTIONS = 2
"""The most sections for which the complex arithmetic of a pair of rows is quicker than one row after the other."""

_COMPLEX: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.float32): np.dtype(np.complex64),
    np.dtype(np.float64): np.dtype(np.complex128),
}

# Loaded with this module, under its import lock: render threads that loaded a kernel at the same time met it half done.
_filter_sections: Callable[..., None] = kernel("scipy.signal._sosfilt")._sosfilt
_filter_linearly: Callable[..., tuple[Signal, Signal]] = kernel("scipy.signal._sigtools")._linear_filter


def sosfilt(sections: Signal, signal: Signal) -> Signal:
    """Return ``signal``, (..., samples), through second-order sections, (sections, 6), from silence.

    The result has the wider of both types. See ``sosfilt_on`` for a signal in blocks.
    """
    return sosfilt_on(sections, signal, np.zeros((len(sections), *signal.shape[:-1], 2), sections.dtype))[0]


def sosfilt_on(sections: Signal, signal: Signal, state: Signal) -> tuple[Signal, Signal]:
    """Return the next block filtered, and the next state, (sections, ..., 2); see ``scipy.signal.sosfilt``."""
    kind = np.result_type(sections, signal, state)
    if signal.shape[:-1] == (2,) and len(sections) <= PAIRED_SECTIONS and kind in _COMPLEX:
        return _pair_filtered(sections, signal, state, kind)
    # Copies, because the kernel works in place on rows.
    filtered = np.array(signal, kind, order="C")
    rows = filtered.reshape(-1, signal.shape[-1])
    states = np.moveaxis(state, 0, -2)
    after = np.array(states, kind, order="C")
    _filter_sections(sections.astype(kind, copy=False), rows, after.reshape(-1, len(sections), 2))
    return filtered, np.moveaxis(after, -2, 0)


def _pair_filtered(sections: Signal, signal: Signal, state: Signal, kind: np.dtype[Any]) -> tuple[Signal, Signal]:
    """Filter two rows as real and imaginary part of one: the same numbers, in little more than the time of one row.

    A recursive filter waits for its own last result at every sample, and the processor has time for a second row.
    """
    both = np.empty((1, signal.shape[-1]), _COMPLEX[kind])
    both.real, both.imag = signal
    after = np.empty((1, len(sections), 2), _COMPLEX[kind])
    after.real, after.imag = state[:, 0], state[:, 1]
    _filter_sections(sections.astype(_COMPLEX[kind]), both, after)
    return np.concatenate((both.real, both.imag)), np.stack((after[0].real, after[0].imag), axis=1)


def lfilter_on(numerator: Signal, denominator: Signal, signal: Signal, state: Signal) -> tuple[Signal, Signal]:
    """Return the next block, (..., samples), filtered, and the next state; see ``scipy.signal.lfilter``.

    ``denominator`` has at least two coefficients, and ``state`` the shape (..., coefficients − 1).
    """
    filtered, after = _filter_linearly(numerator, denominator, signal, -1, state)
    return filtered, after
