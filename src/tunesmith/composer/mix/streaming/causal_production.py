"""Ambience and production of a piece that is still being rendered, scaled to its forecast power."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.signal

from tunesmith.audio.buffer import Samples
from tunesmith.audio.k_weighting import k_weighting
from tunesmith.composer.mix.mix_buffer import faded
from tunesmith.composer.mix.premaster import Session, ambience_gain
from tunesmith.composer.mix.production import ProductionChain
from tunesmith.composer.mix.streaming.open_premaster import OpenPremaster
from tunesmith.composer.render import AmbienceLoop, length_in_samples
from tunesmith.composer.score import Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

PIECE = 16_384
"""Samples that are produced at a time (0.37 s)."""

POSTROLL = 4_096
EXCERPTS = 8
EXCERPT, SETTLING = SAMPLE_RATE // 2, SAMPLE_RATE // 10
"""Samples of an excerpt, and how many of them let its filters settle."""

LEAST = 1e-9


class CausalProduction:
    """The production of one piece; ``mean_power`` is the forecast mean square of its parts."""

    def __init__(self, score: Score, session: Session, mix: OpenPremaster, mean_power: float) -> None:
        self._score, self._mix, self._end = score, mix, length_in_samples(score)
        self._is_mono = session.options.channels == 1
        textures = [(AmbienceLoop(score, one, session.texture), one) for one in score.ambience]
        self._ambiences = [(texture, ambience_gain(one, mean_power, texture)) for texture, one in textures]
        added = sum(gain * gain * texture.power for texture, gain in self._ambiences)
        self._level = max(1e-4, (mean_power + added) ** 0.5)
        self._is_plain = not (score.ambience or score.mix.production or self._is_mono)

    def blocks(self) -> Iterator[Samples]:
        """Yield the pre-master with ambience and production, in the channels of the result.

        Raises GenerationCancelled if the pre-master is closed.
        """
        chain = ProductionChain(self._score, self._level)
        for start in range(0, self._end + POSTROLL, PIECE):
            stop = min(self._end + POSTROLL, start + PIECE)
            block = np.zeros((2, stop - start), np.float32)
            if inside := max(0, min(stop, self._end) - start):
                block[:, :inside] = self._with_ambience(self._mix.appended(start, start + inside), start)
            yield self._in_channels(chain.apply(block, start))

    def change(self, known: int) -> float:
        """Return what all this does to the K-weighted power: the ratio in excerpts of the first ``known`` samples."""
        if self._is_plain:
            return 1.0
        before = after = LEAST
        starts = np.linspace(0, max(0, known - EXCERPT), min(EXCERPTS, 1 + known // EXCERPT)).astype(int)
        for start in map(int, starts):
            plain = self._mix.appended(start, min(known, start + EXCERPT))
            before += _power(plain)
            chain = ProductionChain(self._score, self._level)
            after += _power(self._in_channels(chain.apply(self._with_ambience(plain, start), start)))
        return after / before

    def _with_ambience(self, block: Samples, start: int) -> Samples:
        for texture, gain in self._ambiences:
            sound = texture.read(start, start + block.shape[1]) * np.float32(gain)
            block = block + faded(sound, start, self._end)
        return block

    def _in_channels(self, block: Samples) -> Samples:
        return block.mean(axis=0, keepdims=True) if self._is_mono else block


def _power(block: Samples) -> float:
    """Return the K-weighted energy of an excerpt, summed over its channels, once the filters have settled."""
    weighted = scipy.signal.sosfilt(k_weighting(SAMPLE_RATE), block)
    return float(np.sum(np.square(weighted[:, SETTLING:]), dtype=np.float64))
