"""Filter automation: a gentle low-pass on electronic parts in quiet sections, which opens in a build."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.butterworth import butterworth
from tunesmith.audio.recursive_filters import sosfilt_on
from tunesmith.composer.mix.control_rate import Curve, sampled
from tunesmith.composer.render.intensity import length_in_samples, sample_at
from tunesmith.composer.score import Score, Section
from tunesmith.composer.sound.voice import SAMPLE_RATE

CUTOFF = 1100.0
OPEN_ENERGY = 0.5
OPEN_SHARE = 0.8
DEEPEST = 0.75
GLIDE = SAMPLE_RATE // 4


def open_energy(score: Score) -> float:
    """Return the energy from which the filter is open: in a piece that is calm throughout, its own loudest sections."""
    return min(OPEN_ENERGY, OPEN_SHARE * max((one.energy for one in score.sections), default=OPEN_ENERGY))


def closed_at(section: Section, opened: float = OPEN_ENERGY) -> tuple[float, float]:
    """Return how far the filter is closed, 0–1, at the first and last moment of a section; open from ``opened`` on."""
    quiet = min(1.0, max(0.0, 1 - section.energy / opened)) * DEEPEST if opened else 0.0
    return (DEEPEST, 0.0) if section.name == "build" else (quiet, quiet)


class Sweep:
    """The automation of the low-pass over the whole piece."""

    def __init__(self, score: Score) -> None:
        points: list[tuple[float, float]] = []
        opened = open_energy(score)
        for section in score.sections:
            beat = section.bar * score.meter.beats_per_bar
            end = beat + section.bars * score.meter.beats_per_bar
            first, last = closed_at(section, opened)
            start, stop = sample_at(score, beat), sample_at(score, end)
            # Outside builds, the curve moves only near the section boundaries, for at most a quarter of a section.
            points += [(start + min(GLIDE, (stop - start) / 4), first), (stop - min(GLIDE, (stop - start) / 4), last)]
        self._times = np.array([time for time, _ in points])
        self._closed = np.array([closed for _, closed in points])
        # In a loop, the curve wraps around, so that the last section leads into the first.
        self._period = length_in_samples(score) if score.loop else None

    @property
    def active(self) -> bool:
        """Whether the filter ever closes."""
        return bool(np.any(self._closed > 0))

    def closed(self, start: int, stop: int) -> Curve:
        """Return how far the filter is closed, 0–1, from sample ``start`` to ``stop``, (samples,)."""
        return sampled(self._at, start, stop)

    def _at(self, frames: npt.NDArray[np.int64]) -> Curve:
        return np.asarray(np.interp(frames, self._times, self._closed, period=self._period), np.float32)


class SweptFilter:
    """The low-pass on one stem: a crossfade to a filtered twin, so that moving it never clicks."""

    def __init__(self) -> None:
        self._sections = butterworth(0.0, CUTOFF, SAMPLE_RATE).astype(np.float32)
        self._state = np.zeros((1, 2, 2), np.float32)

    def apply(self, stem: Samples, closed: Curve) -> None:
        """Filter ``stem``, (2, n), in place; blocks must come in order."""
        filtered, self._state = sosfilt_on(self._sections, stem, self._state)
        filtered -= stem
        filtered *= closed
        stem += filtered
