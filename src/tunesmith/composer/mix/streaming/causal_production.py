"""Ambience and production of a piece that is still being rendered, scaled to its forecast power."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.control_rate import Curve
from tunesmith.composer.mix.mix_buffer import faded
from tunesmith.composer.mix.premaster import Session, ambience_gain
from tunesmith.composer.mix.production import ProductionChain
from tunesmith.composer.mix.streaming.frame_powers import FramePowers
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.render import AmbienceLoop, length_in_samples
from tunesmith.composer.score import Score

PIECE = 16_384
"""Samples that are produced at a time (0.37 s)."""

AHEAD = 27
"""Pieces that are produced ahead for each one that is given out: to hear what production does to the whole."""

POSTROLL = 4_096

RENEWED, AUDIBLE = 2.0, 0.03
"""How many times more must be known for another forecast of the level, and by what share it must differ."""


@dataclass(frozen=True, slots=True)
class BusProduction:
    """Production as it is set: the RMS ``level`` of the bus, the gain of each ambience, and the effects."""

    level: float
    gains: tuple[float, ...]
    chain: ProductionChain


class CausalProduction:
    """The production of one piece; ``mean_power`` returns the forecast mean square of its parts, at any time."""

    def __init__(self, score: Score, session: Session, mix: OpenPremaster, mean_power: Callable[[], float]) -> None:
        self._score, self._mix, self._end = score, mix, length_in_samples(score)
        self._channels, self._mean_power = session.options.channels, mean_power
        self._textures = [(AmbienceLoop(score, one, session.texture), one) for one in score.ambience]
        self._is_plain = not (score.ambience or score.mix.production or self._channels == 1)
        self._known = mix.num_measured
        self._now = self._settled(mean_power())
        self._begin_ahead()

    def blocks(self) -> Iterator[Samples]:
        """Yield the pre-master with ambience and production, in the channels of the result.

        Raises GenerationCancelled if the pre-master is closed.
        """
        before: Samples = np.zeros((2, 0), np.float32)
        for start in range(0, self._end + POSTROLL, PIECE):
            stop = min(self._end + POSTROLL, start + PIECE)
            plain = np.zeros((2, stop - start), np.float32)
            if inside := max(0, min(stop, self._end) - start):
                plain[:, :inside] = self._mix.appended(start, start + inside)
            last = self._now
            block = self._produced(last, plain, start)
            if self._renew():
                # Its filters settle before it is heard, and a better level takes over slowly.
                if before.shape[1]:
                    self._produced(self._now, before, start - before.shape[1])
                share = np.linspace(0, 1, block.shape[1], dtype=np.float32)
                block += (self._produced(self._now, plain, start) - block) * share
            before = plain
            yield block

    def look_ahead(self, known: int) -> None:
        """Produce up to AHEAD more pieces of the ``known`` samples, only to measure them."""
        for _ in range(0 if self._is_plain else AHEAD):
            start = self._seen
            if start + PIECE > known:
                return
            self._seen += PIECE
            self._ahead.add(self._produced(self._scout, self._mix.appended(start, self._seen), start))

    def ahead(self) -> tuple[Curve, Curve]:
        """Return K-weighted power and peak of the frames that were produced ahead; none where that changes nothing."""
        power, _, peak = self._ahead.so_far()
        return power, peak

    def _begin_ahead(self) -> None:
        self._scout, self._ahead, self._seen = self._at_level(self._now), FramePowers(self._channels), 0

    def _renew(self) -> bool:
        """Settle the production anew, if a better forecast makes another one; return whether it does."""
        known = self._mix.num_measured
        if self._is_plain or known < RENEWED * self._known:
            return False
        self._known = known
        settled = self._settled(self._mean_power())
        if abs(settled.level / self._now.level - 1) < AUDIBLE:
            return False
        self._now = settled
        self._begin_ahead()
        return True

    def _settled(self, mean_power: float) -> BusProduction:
        gains = tuple(ambience_gain(one, mean_power, texture) for texture, one in self._textures)
        added = sum(gain * gain * texture.power for gain, (texture, _) in zip(gains, self._textures, strict=True))
        level = max(1e-4, (mean_power + added) ** 0.5)
        return BusProduction(level, gains, ProductionChain(self._score, level))

    def _at_level(self, settled: BusProduction) -> BusProduction:
        """Return the same settings with effects of their own, since they remember what they hear."""
        return replace(settled, chain=ProductionChain(self._score, settled.level))

    def _produced(self, settled: BusProduction, plain: Samples, start: int) -> Samples:
        block = plain
        for gain, (texture, _) in zip(settled.gains, self._textures, strict=True):
            sound = texture.read(start, start + block.shape[1]) * np.float32(gain)
            block = block + faded(sound, start, self._end)
        block = settled.chain.apply(block.copy(), start)
        return block.mean(axis=0, keepdims=True) if self._channels == 1 else block
