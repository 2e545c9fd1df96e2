"""Control curves, one value every 64 samples, joined by straight lines: automation without zipper noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

CONTROL = 64
"""Samples between two values of a control curve."""

# (values,)
Curve = npt.NDArray[np.float32]


def at_audio_rate(values: Curve) -> Curve:
    """Return control values joined by lines: (frames + 1,) -> (frames * CONTROL,)."""
    ramp = np.arange(CONTROL, dtype=np.float32) / np.float32(CONTROL)
    joined = values[:-1, None] + (values[1:] - values[:-1])[:, None] * ramp
    return np.asarray(joined.ravel(), np.float32)


def sampled(curve: Callable[[npt.NDArray[np.int64]], Curve], start: int, stop: int) -> Curve:
    """Return samples ``start`` to ``stop`` of a curve known at any multiple of CONTROL; the same for any start."""
    # The grid starts at sample 0 of the piece, not of the block, so that block sizes do not change the curve.
    first = start // CONTROL
    frames = np.arange(first, -(-stop // CONTROL) + 1) * CONTROL
    return at_audio_rate(curve(frames))[start - first * CONTROL :][: stop - start]
