"""The faders that are moved from section to section: quiet sections are raised towards the loudest one.

In a break with a pad alone, the music would be 20 dB softer than in the bars around it, and under a film it would seem
to have stopped. An engineer who rides the faders leaves the contrast and takes the gap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.composer.mix.control_rate import Curve, sampled
from tunesmith.composer.mix.octaves import Octaves, heard_power
from tunesmith.composer.render.intensity import length_in_samples, sample_at
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

KNEE_LU = 6.0
"""How much softer than the loudest section one may be as it is."""

RATIO = 3.0
"""Beyond the knee, one part in so many of the difference remains."""

MOST_DB, STEP_DB = 10.0, 0.5

FIXED_ROLES = frozenset({"effects"})
"""Whose faders stay: a riser leads into what is louder."""

RAMP = SAMPLE_RATE // 5
"""How long a fader takes to move, in samples."""


def section_gains(score: Score, energies: Octaves) -> tuple[float, ...]:
    """Return the gain of each section in dB, at least 0.

    ``energies`` are those of the parts whose faders move, (sections, 2, octaves), of middle and sides.
    """
    power = [
        float(energy) / (end - start)
        for energy, (start, end) in zip(heard_power(energies), _times(score), strict=False)
    ]
    if len(power) < 2 or not max(power):
        return (0.0,) * len(power)
    # Compared with the loudest section and not with the mean, which quiet sections would pull down.
    gains = [_gain(max(power), one) for one in power]
    # The piece fades as its ending is meant to; a loop has none.
    return tuple(gains) if score.loop else (*gains[:-1], 0.0)


def _gain(loudest: float, power: float) -> float:
    # Silence stays silence.
    below = 10 * np.log10(loudest / power) if power else 0.0
    steps = round(max(0.0, below - KNEE_LU) * (1 - 1 / RATIO) / STEP_DB)
    return min(MOST_DB, steps * STEP_DB)


def _times(score: Score) -> list[tuple[float, float]]:
    seconds_at, beats = score.tempo_map.seconds_at, score.meter.beats_per_bar
    return [(seconds_at(one.bar * beats), seconds_at((one.bar + one.bars) * beats)) for one in score.sections]


class SectionFaders:
    """The automation of the gain over the whole piece."""

    def __init__(self, score: Score) -> None:
        beats, loop = score.meter.beats_per_bar, score.loop
        gains = [section.gain_db for section in score.sections]
        self.active = any(gains)
        points: list[tuple[float, float]] = []
        for number, section in enumerate(score.sections):
            start, stop = (sample_at(score, bar * beats) for bar in (section.bar, section.bar + section.bars))
            # No fader moves at the two ends of a piece; those of a loop meet.
            before = gains[number - 1] if number or loop else gains[number]
            after = gains[(number + 1) % len(gains)] if number + 1 < len(gains) or loop else gains[number]
            # In a section shorter than two ramps, they would cross.
            ramp = min(RAMP, (stop - start) / 4)
            # A fader moves in the softer one of two sections, so that the louder one's first beat has its level.
            points += [(start + (ramp if before < gains[number] else 0), gains[number])]
            points += [(stop - (ramp if after < gains[number] else 0), gains[number])]
        self._times = np.array([time for time, _ in points])
        self._gains = np.array([gain for _, gain in points])
        # In a loop, the last section leads into the first.
        self._period = length_in_samples(score) if loop else None

    def gain(self, start: int, stop: int) -> Curve:
        """Return the gain from sample ``start`` to ``stop``, (samples,)."""
        return sampled(self._at, start, stop)

    def _at(self, frames: npt.NDArray[np.int64]) -> Curve:
        decibels = np.interp(frames, self._times, self._gains, period=self._period)
        return np.asarray(10 ** (decibels / 20), np.float32)
