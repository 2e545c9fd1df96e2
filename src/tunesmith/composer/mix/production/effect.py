"""What every production effect looks like, and the filter they share."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import scipy.signal

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.eq_response import Band, coefficients


class Effect(Protocol):
    """Changes the bus. Blocks follow each other; what an effect remembers fades within the chain's pre-roll."""

    def apply(self, block: Samples, start: int) -> Samples:
        """Return ``block``, (2, n) from sample ``start`` of the piece, changed; it may be overwritten."""
        ...


class FilterEffect:
    """A chain of EQ bands run sample by sample, with its state."""

    def __init__(self, *bands: Band) -> None:
        rows = [[value / row[3] for value in row] for row in map(coefficients, bands)]
        self._sections = np.array(rows)  # double precision: a high-pass at 20 Hz drifts in single
        self._state = np.zeros((len(bands), 2, 2))

    def apply(self, block: Samples, start: int) -> Samples:  # noqa: ARG002  the same wherever it is
        """Return the filtered block."""
        filtered, self._state = scipy.signal.sosfilt(self._sections, block, zi=self._state)
        return np.asarray(filtered, np.float32)
