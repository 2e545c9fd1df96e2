"""Background textures (rain, ocean …) repeated without a seam under the whole piece."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.render.intensity import length_in_samples
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Ambience, Score
from tunesmith.composer.sound.voice import SAMPLE_RATE

AmbienceTexture = Callable[[str, float, np.random.Generator], Samples]
"""(name, seconds, random generator) → a circular texture (2, samples) at the composer's rate."""

LONGEST_TILE_SECONDS = 30.0


class AmbienceLoop:
    """A repeated texture; in a loop, its tile divides the length evenly, so that the end connects to the start."""

    def __init__(self, score: Score, ambience: Ambience, texture: AmbienceTexture) -> None:
        length = length_in_samples(score)
        tiles = max(1, math.ceil(score.duration / LONGEST_TILE_SECONDS))
        tile = length / tiles if score.loop else min(length, round(LONGEST_TILE_SECONDS * SAMPLE_RATE))
        random = rng_for(score.seed, "ambience", ambience.name)
        self._tile = texture(ambience.name, math.ceil(tile) / SAMPLE_RATE, random)
        self._length, self._tiles, self._loop = length, tiles, score.loop

    @property
    def power(self) -> float:
        """The mean square over both channels."""
        return float(np.mean(np.square(self._tile), dtype=np.float64))

    def read(self, start: int, stop: int) -> Samples:
        """Return samples ``start`` to ``stop`` of the piece, (2, n)."""
        if not self._loop and stop <= self._tile.shape[1]:
            return self._tile[:, start:stop]
        position = np.arange(start, stop)
        # A length that the tiles do not divide is met by skipping single samples, evenly spread.
        if self._loop:
            position = (position % self._length) * (self._tiles * self._tile.shape[1]) // self._length
        return self._tile[:, position % self._tile.shape[1]]
