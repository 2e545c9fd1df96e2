"""The surface of a vinyl record: hiss, a little rumble and crackle, drawn once and repeated every few seconds."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.fourier import irfft, rfft
from tunesmith.composer.rng import rng_for
from tunesmith.composer.sound.voice import SAMPLE_RATE

# Eight turns of a record at 33 1/3 rpm, of 1.8 s each.
TURN_SECONDS = 14.4
CRACKLES_PER_SECOND = 9.0
HISS_DB, CRACKLE_DB = -38.0, -17.0


class Vinyl:
    """Surface noise under music of RMS ``level``; seamless in a loop of ``period`` samples."""

    def __init__(self, level: float, period: int | None, random: np.random.Generator) -> None:
        turns = 1 if period is None else max(1, round(period / (TURN_SECONDS * SAMPLE_RATE)))
        length = round(TURN_SECONDS * SAMPLE_RATE) if period is None else -(-period // turns)
        self._period, self._turns = period, turns
        self._surface = np.float32(level) * (_hiss(length, random) + _crackle(length, random))

    def apply(self, block: Samples, start: int) -> Samples:
        """Return the block, (2, n), with the surface noise."""
        position = np.arange(start, start + block.shape[1])
        if self._period is not None:
            # A loop that the surface does not divide is met by skipping single samples, evenly spread.
            position = (position % self._period) * (self._turns * self._surface.shape[1]) // self._period
        return np.asarray(block + np.take(self._surface, position, axis=1, mode="wrap"), np.float32)


def _hiss(length: int, random: np.random.Generator) -> Samples:
    """Return circular noise, (2, length), of RMS HISS_DB, that falls towards both ends of the spectrum."""
    # Nobody hears that the noise of two pieces is the same one, begun at another place.
    return np.roll(_shaped_noise(length), int(random.integers(length)), axis=1)


@lru_cache(maxsize=2)
def _shaped_noise(length: int) -> Samples:
    # Shaped in the frequency domain, where the noise is circular by construction.
    spectrum = rfft(rng_for(0, "hiss").standard_normal((2, length), dtype=np.float32))
    frequency = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum *= (frequency / (frequency + 300) / (1 + (frequency / 6000) ** 2)).astype(np.float32)
    hiss = irfft(spectrum, length)
    return np.asarray(hiss * (10 ** (HISS_DB / 20) / max(1e-9, float(hiss.std()))), np.float32)


def _crackle(length: int, random: np.random.Generator) -> Samples:
    """Return circular crackle, (2, length): short decaying bursts of noise, most of them faint, at random positions."""
    surface = np.zeros((2, length), np.float32)
    for _ in range(int(CRACKLES_PER_SECOND * length / SAMPLE_RATE)):
        size = int(random.integers(12, 90))
        burst = random.standard_normal(size) * np.exp(-np.arange(size) / (size / 5))
        burst *= 10 ** (CRACKLE_DB / 20) * min(5.0, float(random.exponential(0.8)))
        where = (int(random.integers(length)) + np.arange(size)) % length
        left = float(random.uniform(0.2, 0.8))
        surface[0, where] += (burst * left).astype(np.float32)
        surface[1, where] += (burst * (1 - left)).astype(np.float32)
    return surface
