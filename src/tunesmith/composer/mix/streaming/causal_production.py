"""Ambience and production of a piece that is still being rendered, scaled to its forecast power."""

from __future__ import annotations

from collections.abc import Iterator

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


class CausalProduction:
    """The production of one piece; ``mean_power`` is the forecast mean square of its parts."""

    def __init__(self, score: Score, session: Session, mix: OpenPremaster, mean_power: float) -> None:
        self._score, self._mix, self._end = score, mix, length_in_samples(score)
        self._channels = session.options.channels
        textures = [(AmbienceLoop(score, one, session.texture), one) for one in score.ambience]
        self._ambiences = [(texture, ambience_gain(one, mean_power, texture)) for texture, one in textures]
        added = sum(gain * gain * texture.power for texture, gain in self._ambiences)
        self._level = max(1e-4, (mean_power + added) ** 0.5)
        self._is_plain = not (score.ambience or score.mix.production or self._channels == 1)
        self._scout = ProductionChain(score, self._level)
        self._ahead = FramePowers(self._channels)
        self._seen = 0

    def blocks(self) -> Iterator[Samples]:
        """Yield the pre-master with ambience and production, in the channels of the result.

        Raises GenerationCancelled if the pre-master is closed.
        """
        chain = ProductionChain(self._score, self._level)
        for start in range(0, self._end + POSTROLL, PIECE):
            stop = min(self._end + POSTROLL, start + PIECE)
            plain = np.zeros((2, stop - start), np.float32)
            if inside := max(0, min(stop, self._end) - start):
                plain[:, :inside] = self._mix.appended(start, start + inside)
            yield self._produced(chain, plain, start)

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

    def _produced(self, chain: ProductionChain, plain: Samples, start: int) -> Samples:
        block = plain
        for texture, gain in self._ambiences:
            sound = texture.read(start, start + block.shape[1]) * np.float32(gain)
            block = block + faded(sound, start, self._end)
        block = chain.apply(block.copy(), start)
        return block.mean(axis=0, keepdims=True) if self._channels == 1 else block
