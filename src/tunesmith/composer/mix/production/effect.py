"""The protocol of production effects, and the filter that they share."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.recursive_filters import sosfilt_on
from tunesmith.composer.mix.eq_response import Band, coefficients


class Effect(Protocol):
    """A change of the bus; blocks must come in order, and an effect's state fades within the chain's pre-roll."""

    def apply(self, block: Samples, start: int) -> Samples:
        """Return ``block``, (2, n) from sample ``start`` of the piece, changed; the block may be overwritten."""
        ...


class FilterEffect:
    """A chain of EQ bands that runs sample by sample, with state."""

    def __init__(self, *bands: Band) -> None:
        rows = [[value / row[3] for value in row] for row in map(coefficients, bands)]
        # In double precision: a high-pass at 20 Hz drifts in single.
        self._sections = np.array(rows)
        self._state = np.zeros((len(bands), 2, 2))

    def apply(self, block: Samples, start: int) -> Samples:  # noqa: ARG002  the same wherever it is
        """Return the filtered block, (2, n)."""
        filtered, self._state = sosfilt_on(self._sections, block, self._state)
        return np.asarray(filtered, np.float32)
