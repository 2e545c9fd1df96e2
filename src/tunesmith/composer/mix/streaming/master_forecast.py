"""A forecast of the master's settings during rendering: from what is measured, and the score for the rest.

How loud the rest is follows from the score; its peaks and pauses are those of what is measured, repeated at that level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tunesmith.composer.mix.control_rate import CONTROL, Curve
from tunesmith.composer.mix.master.gain_search import MasterSettings, find_gain
from tunesmith.composer.mix.master.loudness_frames import Frames
from tunesmith.composer.mix.master.stretch_fader import stretch_fader
from tunesmith.composer.mix.premaster import Session
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.mix.streaming.power_forecast import BIN_SECONDS, Powers, power_forecast
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

TRUST_SECONDS = 1.0
"""The forecast weighs as much as this many seconds of average music, against what is measured."""

AROUND_SECONDS = 2.0
"""The stretch whose average forecast says how much louder a repeated moment is at another place."""

MOST_CHANGE = 10.0
"""The most by which the power of a repeated moment grows: what is measured may begin with a rest."""

PEAK_GROWTH = 0.42
"""The power of its change in power by which a repeated moment's peaks grow.

Less than the half of a sound that is only louder: more players raise power more than peaks. It suits dance music and
trap, whose few players at the beginning promise higher peaks than come, at the cost of a little elsewhere.
"""

KNOWN_SECONDS, SAMPLED_SECONDS, STRETCH_SECONDS = 12.0, 60.0, 4.0
"""Until KNOWN_SECONDS are known, the gain is searched on about SAMPLED_SECONDS of a long piece, in stretches.

The first sound waits for this search, and the rest of the piece is a repetition of what is known.
"""

LEAST = 1e-9

FrameCurves = tuple[Curve, Curve]
"""Power and peak, (frames,) each."""


class MasterForecast:
    """The forecast of one piece. Frames are CONTROL samples at the rate of the result."""

    def __init__(self, score: Score, session: Session, mix: OpenPremaster) -> None:
        self._score, self._mix, self._rate = score, mix, session.options.sample_rate
        self._samples = length_in_samples(score, self._rate)
        bins = power_forecast(score, session.options.intensity)
        # In the frames of the pre-master, which has the composer's rate.
        frames = np.arange(-(-length_in_samples(score) // CONTROL)) + 0.5
        self._score_power = np.interp(frames * CONTROL / SAMPLE_RATE, (np.arange(len(bins)) + 0.5) * BIN_SECONDS, bins)
        self._around = _running_mean(self._score_power, round(AROUND_SECONDS * SAMPLE_RATE / CONTROL))

    def mean_power(self) -> float:
        """Return the forecast of the mean square of the pre-master's parts, over both channels."""
        power, plain, _ = self._mix.measurements()
        whole = float(np.mean(self._power(power)))
        # What is measured tells how much of the power K-weighting hears.
        heard = float(np.sum(power, dtype=np.float64)) + LEAST
        return whole * (float(np.sum(plain, dtype=np.float64)) + LEAST) / heard

    def settings(self, produced: FrameCurves, ahead: FrameCurves) -> MasterSettings | None:
        """Return the settings of the master; None for silence.

        Both are K-weighted powers and peaks of the produced sound: in the master's own measurement and frames as far as
        it is mastered, and in those of the pre-master further ahead, empty where production changes nothing.
        """
        power, _, peak = self._mix.measurements()
        levels, source = self._power(power), (power, peak)
        if heard := len(ahead[0]):
            change = (float(np.sum(ahead[0], dtype=np.float64)) + LEAST) / (float(np.sum(levels[:heard])) + LEAST)
            # Saturation lowers peaks by more than power, so what it makes is what is repeated.
            levels, source = levels * change, ahead
        whole, peaks = map(self._at_rate, self._repeated(source, levels))
        known = len(produced[0])
        whole[:known], peaks[:known] = produced
        fader = stretch_fader(self._score, self._rate, len(whole))
        if len(power) * CONTROL < KNOWN_SECONDS * SAMPLE_RATE:
            places = self._sampled(len(whole))
            whole, peaks = whole[places], peaks[places]
            fader = None if fader is None else np.append(fader[places], fader[-1])
        samples = min(self._samples, len(whole) * CONTROL)
        frames = Frames(whole.astype(np.float32), peaks.astype(np.float32), self._rate, samples)
        return find_gain(frames, self._score.mix.loudness_lufs, loop=False, fader=fader).settings

    def _sampled(self, count: int) -> npt.NDArray[np.intp]:
        """Return which of ``count`` frames lie in stretches that are spread evenly over the piece."""
        seconds = self._samples / self._rate
        stretch, every = round(STRETCH_SECONDS * self._rate / CONTROL), max(1, round(seconds / SAMPLED_SECONDS))
        return np.flatnonzero(np.arange(count) // stretch % every == 0)

    def _power(self, measured: Curve) -> Powers:
        """Return the power of every frame: measured, then forecast, at the level of what is measured."""
        known, trust = len(measured), TRUST_SECONDS * SAMPLE_RATE / CONTROL * float(np.mean(self._score_power))
        level = (float(np.sum(measured, dtype=np.float64)) + trust) / (
            float(np.sum(self._score_power[:known])) + trust + LEAST
        )
        return np.concatenate((measured, self._score_power[known:] * level)).astype(np.float64)

    def _repeated(self, measured: FrameCurves, levels: Powers) -> tuple[Powers, Powers]:
        """Return power and peak of every frame: as measured, then repeated with the power of ``levels`` in all."""
        power, peak = measured
        known = len(power)
        places = np.arange(known, len(levels)) % known
        change = np.minimum(self._around[known:] / np.maximum(self._around[places], LEAST), MOST_CHANGE)
        repeated = power[places] * change
        level = (float(np.sum(levels[known:])) + LEAST) / (float(np.sum(repeated)) + LEAST)
        peaks = peak[places] * (change * level) ** PEAK_GROWTH
        return np.concatenate((power, repeated * level)), np.concatenate((peak, peaks))

    def _at_rate(self, values: Powers) -> Powers:
        frames = -(-self._samples // CONTROL)
        if self._rate == SAMPLE_RATE:
            return values[:frames].copy()
        places = (np.arange(frames) + 0.5) * SAMPLE_RATE / self._rate - 0.5
        return np.interp(places, np.arange(len(values)), values)


def _running_mean(values: Powers, length: int) -> Powers:
    """Return the mean of ``length`` values around each; at the ends, of those that there are."""
    total, places = np.concatenate(([0.0], np.cumsum(values))), np.arange(len(values))
    first, last = np.maximum(0, places - length // 2), np.minimum(len(values), places + length // 2 + 1)
    return np.asarray((total[last] - total[first]) / (last - first))
