"""Onset noise: the pick, bow, hammer, breath or stick heard at the beginning of a note, and the release of keys.

Each kind is a recording of filtered noise that is computed once; a note plays an excerpt of it, at a random place, so
that no two notes are alike and a note costs one product of short arrays.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.fourier import irfft, rfft
from tunesmith.composer.instruments import Instrument
from tunesmith.composer.rng import rng_for
from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.noise_kinds import NoiseKind, noise_kind
from tunesmith.composer.sound.voice import SAMPLE_RATE, distinct_rows

STRIP = 1 << 16
"""Samples of noise of each kind (1.5 s)."""

LONGEST = STRIP // 2
MEASURED = 8192
"""Samples of a note (0.19 s) whose level the noise follows."""

LEVELLED = 4410
"""Samples of the noise (0.1 s) whose level is that of its kind."""

COMMON = 0.55
"""The share of the noise's power that left and right have in common: wide, and still there in mono."""

SOFTEST_DB = -3.0
"""The level at the softest velocity relative to the loudest: a soft touch is quieter than the tone that it starts."""

TAIL_SECONDS = 2.0
"""How long the tail of the noise takes to −60 dB."""

TAIL_DARKER = 1.8
"""The upper limit of the attack's noise over that of the tail: the highs of a touch are gone first."""

RELEASE_SECONDS = 0.04
_CLOSING = np.linspace(1, 0, 441, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Struck:
    """A note as the noise needs it: its ``level`` (RMS), ``velocity`` 1–127, ``seconds``, and a ``place`` 0–1."""

    level: float
    velocity: int
    seconds: float
    place: float


class OnsetNoise:
    """The noises of one instrument."""

    def __init__(self, played: Instrument) -> None:
        self._played = played

    def onset(self, pitch: int, struck: Struck) -> Samples | None:
        """Return the noise at the onset, (2, samples), or None where the instrument has none."""
        kind = noise_kind(self._played, pitch, struck.seconds)
        if kind is None or struck.level <= 0:
            return None
        gain = struck.level * 10 ** ((kind.level_db + SOFTEST_DB * (1 - struck.velocity / 127)) / 20)
        if kind.tail_db is None:
            return _excerpt(kind.low, kind.high, _envelope(kind) * np.float32(gain), struck.place)
        length = min(LONGEST, max(2048, round(struck.seconds * SAMPLE_RATE)))
        noise = _excerpt(kind.low, kind.high / TAIL_DARKER, _tail(kind)[:length] * np.float32(gain), struck.place)
        attack = _excerpt(kind.low, kind.high, _envelope(kind)[:length] * np.float32(gain), struck.place)
        noise[:, : attack.shape[1]] += attack
        return noise

    def release(self, pitch: int, struck: Struck) -> Samples | None:
        """Return the noise of the release, (2, samples), or None where the instrument has none."""
        kind = noise_kind(self._played, pitch, struck.seconds)
        if kind is None or kind.release_db is None or struck.level <= 0:
            return None
        gain = struck.level * 10 ** ((kind.level_db + kind.release_db) / 20)
        return _excerpt(kind.low, kind.high, _release_shape() * np.float32(gain * _peak(kind)), 1 - struck.place)


def level_of(sound: Samples) -> float:
    """Return the RMS of the beginning of (2, samples)."""
    beginning = distinct_rows(sound[:, :MEASURED])
    # Short enough that BLAS does not split the products between threads.
    power = sum(float(np.dot(row, row)) for row in beginning)
    return math.sqrt(power / beginning.size) if beginning.size else 0.0


def _excerpt(low: float, high: float, gains: Floats, place: float) -> Samples:
    first = int(place * (STRIP - len(gains)))
    noise = _strip(low, high)[:, first : first + len(gains)] * gains
    closing = noise[:, -len(_CLOSING) :]
    closing *= _CLOSING[-closing.shape[1] :]
    return np.asarray(noise, np.float32)


@functools.lru_cache(maxsize=64)
def _envelope(kind: NoiseKind) -> Floats:
    """Return the gains of the attack over time, (samples,), of RMS 1 over LEVELLED: a rise, a fall by 60 dB."""
    length = min(LONGEST, round((kind.attack + 0.8 * kind.decay) * SAMPLE_RATE))
    # 6.91 = ln(1000): a fall by 60 dB within ``decay``.
    shape = _rise(kind, length) * np.exp(-6.91 / kind.decay * _since(kind, length))
    return _read_only(shape / np.sqrt(np.sum(np.square(shape[:LEVELLED])) / LEVELLED))


@functools.lru_cache(maxsize=64)
def _tail(kind: NoiseKind) -> Floats:
    """Return the gains of the tail over time, (LONGEST,), which fall by 60 dB in TAIL_SECONDS."""
    assert kind.tail_db is not None
    level = _peak(kind) * 10 ** (kind.tail_db / 20)
    return _read_only(level * _rise(kind, LONGEST) * np.exp(-6.91 / TAIL_SECONDS * _since(kind, LONGEST)))


def _rise(kind: NoiseKind, length: int) -> npt.NDArray[np.float64]:
    # A raised cosine has no corner, so that a slow bow does not click.
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(1, np.arange(length) / SAMPLE_RATE / kind.attack)))


def _since(kind: NoiseKind, length: int) -> npt.NDArray[np.float64]:
    """Return the seconds since the end of the rise, (length,)."""
    return np.maximum(0, np.arange(length) / SAMPLE_RATE - kind.attack)


@functools.lru_cache(maxsize=64)
def _peak(kind: NoiseKind) -> float:
    return float(_envelope(kind).max())


@functools.cache
def _release_shape() -> Floats:
    """Return the gains over time, (samples,), of a fall by 60 dB in RELEASE_SECONDS."""
    samples = round(RELEASE_SECONDS * SAMPLE_RATE)
    return _read_only(np.exp(-6.91 / RELEASE_SECONDS * np.arange(samples) / SAMPLE_RATE))


@functools.lru_cache(maxsize=32)
def _strip(low: float, high: float) -> Samples:
    """Return circular noise between ``low`` and ``high`` Hz, (2, STRIP), of RMS 1."""
    frequency = np.fft.rfftfreq(STRIP, 1 / SAMPLE_RATE)
    # Second-order slopes on both sides: above, a steady hiss would fill what strokes leave dark.
    shape = (frequency / low) ** 2 / (1 + (frequency / low) ** 2) / (1 + (frequency / high) ** 2)
    noise = irfft(_white_spectrum() * shape.astype(np.float32), STRIP)
    return _read_only(noise / np.sqrt(np.mean(np.square(noise), axis=1, keepdims=True)))


@functools.cache
def _white_spectrum() -> npt.NDArray[np.complex64]:
    """Return the spectrum of white noise, (2, bins), with COMMON power in both channels."""
    middle, left, right = rng_for(0, "onset noise").standard_normal((3, STRIP), np.float32)
    sides = np.stack([left, right]) * np.float32(np.sqrt(1 - COMMON))
    return np.asarray(rfft(middle * np.float32(np.sqrt(COMMON)) + sides), np.complex64)


def _read_only(values: npt.NDArray[np.float64] | Floats) -> Floats:
    array = np.asarray(values, np.float32)
    array.flags.writeable = False
    return array
