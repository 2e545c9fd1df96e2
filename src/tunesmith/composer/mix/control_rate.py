"""Curves drawn at control rate, one value every 64 samples, and joined by straight lines: automation without zips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

CONTROL = 64
"""Samples between two values of a control curve."""

Curve = npt.NDArray[np.float32]  # (values,)


def at_audio_rate(values: Curve) -> Curve:
    """Join control values by lines: (frames + 1,) -> (frames * CONTROL,)."""
    ramp = np.arange(CONTROL, dtype=np.float32) / np.float32(CONTROL)
    joined = values[:-1, None] + (values[1:] - values[:-1])[:, None] * ramp
    return np.asarray(joined.ravel(), np.float32)


def sampled(curve: Callable[[npt.NDArray[np.int64]], Curve], start: int, stop: int) -> Curve:
    """Return samples ``start`` to ``stop`` of a curve known at any multiple of CONTROL; the same for any start."""
    first = start // CONTROL
    frames = np.arange(first, -(-stop // CONTROL) + 1) * CONTROL
    return at_audio_rate(curve(frames))[start - first * CONTROL :][: stop - start]
