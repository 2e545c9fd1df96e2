"""Sidechain ducking, computed from the score: the level dips on every kick and recovers smoothly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.composer.mix.control_rate import Curve, sampled
from tunesmith.composer.sound.voice import SAMPLE_RATE

FALL = 0.006 * SAMPLE_RATE
# Farther than any piece is long: a kick there ducks nothing, but every sample has a kick before and after it.
FAR = 1e12


class Ducker:
    """The gain curve of the ducked strips; ``kicks`` are samples, ascending, ``period`` is a loop's length or None.

    The recovery takes 80 % of the usual distance between kicks, 0.12 to 0.3 s.
    """

    def __init__(self, kicks: tuple[int, ...], depth: float, period: int | None) -> None:
        self._depth = depth if kicks else 0.0
        self._period = period
        around = [-FAR, *kicks, FAR if not kicks else kicks[-1] + FAR]
        # In a loop, the last kick still ducks the beginning, and the end anticipates the first kick.
        if period and kicks:
            around = [kicks[-1] - period, *kicks, kicks[0] + period]
        self._kicks = np.array(around, np.float64)
        # The median, because fills and breaks would distort a mean.
        gap = float(np.median(np.diff(kicks))) if len(kicks) > 1 else SAMPLE_RATE / 2
        self._rise = min(0.3 * SAMPLE_RATE, max(0.12 * SAMPLE_RATE, 0.8 * gap))

    @property
    def active(self) -> bool:
        """Whether there is anything to duck from."""
        return self._depth > 0

    def gain(self, start: int, stop: int, share: float) -> Curve:
        """Return the gain from sample ``start`` to ``stop``, (samples,), for a strip with ``share`` of the ducking."""
        return sampled(lambda frames: self._at(frames, share), start, stop)

    def _at(self, frames: npt.NDArray[np.int64], share: float) -> Curve:
        position = frames % self._period if self._period else frames
        following = np.clip(np.searchsorted(self._kicks, position, side="right"), 1, len(self._kicks) - 1)
        since = np.clip((position - self._kicks[following - 1]) / self._rise, 0, 1)
        # The dip begins before the kick: the score is known, so the gain can be down when the kick sounds.
        until = np.clip((self._kicks[following] - position) / FALL, 0, 1)
        # A cubic that is level at both ends: a corner in the gain would be heard.
        dip = np.maximum(1 - since * since * (3 - 2 * since), 1 - until)
        return (1 - self._depth * share * dip).astype(np.float32)
