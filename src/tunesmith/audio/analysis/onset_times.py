"""Onset times: when something begins in a sound, found as peaks of the spectral flux.

An onset is a local maximum that stands out from the usual flux around it (Dixon, Onset detection revisited, 2006).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.audio.analysis.features import HOP, RATE, Features

NEAR_FRAMES = 3
"""An onset is the highest flux of so many frames of 12 ms on either side."""
AROUND_FRAMES = 43
"""The usual flux is the median of half a second on either side."""
STANDS_OUT, LEAST_FLUX = 1.6, 0.02
EARLY_SECONDS = 0.01
"""The flux rises as soon as a frame begins to cover an onset, before its centre does."""

Times = npt.NDArray[np.float64]


def onset_times(features: Features) -> Times:
    """Return when the onsets of a sound begin, in seconds, ascending: (onsets,)."""
    flux = features.onsets.astype(np.float64)
    near = _windows(flux, NEAR_FRAMES).max(axis=1)
    usual = np.median(_windows(flux, AROUND_FRAMES), axis=1)
    return np.flatnonzero((flux >= near) & (flux > STANDS_OUT * usual + LEAST_FLUX)) * HOP / RATE + EARLY_SECONDS


def _windows(flux: Times, reach: int) -> Times:
    """Return the frames around each frame, (frames, 2 * reach + 1); silence lies around the sound."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(flux, reach), 2 * reach + 1)
