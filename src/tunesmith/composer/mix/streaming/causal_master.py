"""The master of a piece that is still being rendered: its production and gain, with settings that are forecast."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.resample import resample_blocks
from tunesmith.composer.mix.control_rate import CONTROL, Curve, at_audio_rate
from tunesmith.composer.mix.master.gain_search import MasterSettings, settled_gain
from tunesmith.composer.mix.master.loudness_frames import FrameMeter
from tunesmith.composer.mix.master.stretch_fader import stretch_fader
from tunesmith.composer.mix.premaster import Session
from tunesmith.composer.mix.streaming.causal_production import CausalProduction
from tunesmith.composer.mix.streaming.master_forecast import MasterForecast
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

RUN_IN_SECONDS = 3.0
"""How far before a block its gain is computed, so that every smoother has settled."""

LOOK_AHEAD_SECONDS = 0.02
"""The end of a measured stretch whose gain is not final, because the limiter looks ahead."""


class CausalMaster:
    """Blocks of the mastered piece, in order, each as soon as the pre-master has it. Use it from one thread."""

    def __init__(self, score: Score, session: Session, mix: OpenPremaster) -> None:
        self._score, self._session, self._mix = score, session, mix
        options = session.options
        self._length, self._rate = length_in_samples(score, options.sample_rate), options.sample_rate
        self._forecast = MasterForecast(score, session, mix)
        self._fader = stretch_fader(score, self._rate, -(-self._length // CONTROL))
        self._settings: MasterSettings | None = None
        self._seen = (0, 0, 0)
        self._meter = FrameMeter(self._rate, options.channels)
        # The measurements of the whole piece, once all of it is produced.
        self._whole: tuple[Curve, Curve] | None = None
        # Produced samples that are not given out yet.
        self._waiting: Samples = np.zeros((options.channels, 0), np.float32)
        self._given = self._produced = 0
        self._production: CausalProduction | None = None
        self._blocks = resample_blocks(self._produced_blocks(), options.channels, SAMPLE_RATE, self._rate)

    def next(self) -> Samples:
        """Return the next block, (channels, n), of at least one frame; an empty one after the end.

        Raises GenerationCancelled if the pre-master is closed.
        """
        while (frames := self._ready_frames()) == 0 and self._produced < self._length:
            self._take_block()
        stop = self._length if self._produced == self._length else self._given + frames * CONTROL
        block, self._waiting = np.split(self._waiting, [stop - self._given], axis=1)
        if block.shape[1]:
            block = block * self._gain(-(-block.shape[1] // CONTROL))[: block.shape[1]]
        self._given = stop
        return np.asarray(block, np.float32)

    def _take_block(self) -> None:
        block = next(self._blocks)[:, : self._length - self._produced]
        self._meter.add(block)
        self._waiting = np.concatenate((self._waiting, block), axis=1)
        self._produced += block.shape[1]

    def _ready_frames(self) -> int:
        power, _ = self._meter.so_far()
        ahead = round(LOOK_AHEAD_SECONDS * self._rate / CONTROL)
        return max(0, len(power) - ahead - self._given // CONTROL)

    def _gain(self, count: int) -> Curve:
        """Return the gain of the next ``count`` frames, at audio rate."""
        before, first = self._settings, self._given // CONTROL
        power, peak = self._measured()
        self._update(power, peak)
        if self._settings is None:
            return np.ones(count * CONTROL, np.float32)
        since = max(0, first - round(RUN_IN_SECONDS * self._rate / CONTROL))
        curve = self._curve(self._settings, since, first, count)
        if before is not None and before != self._settings:
            # A corrected forecast takes over slowly.
            share = np.linspace(0, 1, count + 1, dtype=np.float32)
            curve = curve * share + self._curve(before, since, first, count) * (1 - share)
        return at_audio_rate(curve)

    def _curve(self, settings: MasterSettings, since: int, first: int, count: int) -> Curve:
        power, peak = (values[since:] for values in self._measured())
        rate = self._rate / CONTROL
        curve = settled_gain(power, peak, settings, rate)[first - since : first - since + count + 1]
        return curve if self._fader is None else curve * self._fader[first : first + count + 1]

    def _measured(self) -> tuple[Curve, Curve]:
        if self._produced == self._length and self._whole is None:
            frames = self._meter.frames()
            self._whole = frames.power, frames.peak
        return self._meter.so_far() if self._whole is None else self._whole

    def _update(self, power: Curve, peak: Curve) -> None:
        """Forecast anew once an eighth more is known than before."""
        assert self._production is not None
        self._production.look_ahead(self._mix.num_measured * CONTROL)
        ahead = self._production.ahead()
        known = self._mix.num_measured, len(power), len(ahead[0])
        if self._settings is None or any(now >= 1.125 * then for now, then in zip(known, self._seen, strict=True)):
            self._settings = self._forecast.settings((power, peak), ahead) or self._settings
            self._seen = known

    def _produced_blocks(self) -> Iterator[Samples]:
        # The forecast needs the first seconds of the pre-master.
        self._mix.appended(0, 1)
        self._production = CausalProduction(self._score, self._session, self._mix, self._forecast.mean_power)
        yield from self._production.blocks()
