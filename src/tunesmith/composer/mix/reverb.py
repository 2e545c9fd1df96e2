"""Two reverbs: stereo impulse responses of early reflections and noise, with a faster decay for higher frequencies."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.fourier import irfft, next_fast_len, rfft
from tunesmith.composer.mix.eq_response import Response
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import MixSettings
from tunesmith.composer.sound.voice import SAMPLE_RATE

LONGEST_TAIL = 90_112
"""Samples of the longest impulse response (2.04 s), for which the overlap of the convolution is planned."""

SPACIOUS_SCALE, DRY_SCALE = 2.0, 0.25
ROOM_DB, HALL_DB = -4.0, -3.0


@dataclass(frozen=True, slots=True)
class Space:
    """A room.

    ``decay`` are the seconds to −60 dB in each of the BAND_EDGES bands, ``before`` is the pre-delay in seconds,
    ``reflections`` the number of early reflections within ``early`` seconds, and ``low_cut`` in Hz keeps the bass dry.
    """

    decay: tuple[float, ...]
    before: float
    early: float
    reflections: int
    low_cut: float


BAND_EDGES = (0.0, 400.0, 1500.0, 4000.0, 9000.0, SAMPLE_RATE / 2)
SPACES: Mapping[str, Space] = {
    "room": Space((0.5, 0.55, 0.45, 0.32, 0.2), before=0.004, early=0.03, reflections=10, low_cut=180),
    "hall": Space((1.9, 2.0, 1.6, 1.0, 0.55), before=0.022, early=0.09, reflections=14, low_cut=220),
}


def reverb_gains(settings: MixSettings) -> tuple[float, float]:
    """Return the linear gains of room and hall: the score's sends, more for ``spacious``, less for ``dry``."""
    scale = SPACIOUS_SCALE if "spacious" in settings.production else 1.0
    scale *= DRY_SCALE if "dry" in settings.production else 1.0
    room = settings.room * scale * 10 ** (ROOM_DB / 20)
    return min(1.0, room), min(1.2, settings.hall * scale * 10 ** (HALL_DB / 20))


@functools.cache
def impulse_response(name: str) -> Samples:
    """Return the impulse response of a space, (2, samples), with energy 1 per channel; the same every time."""
    # A fixed seed: the room belongs to the mix, not to the piece, and its response can be cached.
    space, random = SPACES[name], rng_for(0, "reverb", name)
    length = min(LONGEST_TAIL, round((space.before + max(space.decay)) * SAMPLE_RATE))
    before = round(space.before * SAMPLE_RATE)
    tail = np.zeros((2, length), np.float32)
    tail[:, before:] = _late(space, length - before, random)
    for channel in tail:
        at = before + np.sort(random.integers(0, round(space.early * SAMPLE_RATE), space.reflections))
        channel[at] += random.choice([-1, 1], space.reflections) * np.geomspace(6, 2, space.reflections) * channel.std()
    # The cut at the longest tail must not click.
    tail[:, -4096:] *= np.linspace(1, 0, 4096, dtype=np.float32)
    return np.asarray(tail / np.sqrt(np.sum(tail**2, axis=1, keepdims=True)), np.float32)


def _late(space: Space, length: int, random: np.random.Generator) -> Samples:
    """Return noise in bands, (2, length), each with its own exponential decay, and all with a soft onset."""
    size = next_fast_len(length)
    noise = random.standard_normal((2, size), dtype=np.float32)
    spectrum = rfft(noise)
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    # A gain without phase, so the noise stays as random as it was and only its level below the cut changes.
    spectrum *= (frequency**2 / (frequency**2 + space.low_cut**2)).astype(np.float32)
    seconds = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    late = np.zeros((2, length), np.float32)
    for low, high, decay in zip(BAND_EDGES, BAND_EDGES[1:], space.decay, strict=False):
        band = irfft(spectrum * ((frequency >= low) & (frequency < high)), size)[:, :length]
        # Reverberation time is defined as the fall by 60 dB, which is e^−6.91.
        late += band * np.exp(-6.91 / decay * seconds)
    return np.asarray(late * (1 - np.exp(-seconds / np.float32(space.early / 3))), np.float32)


@functools.lru_cache(maxsize=8)
def reverb_response(name: str, size: int) -> Response:
    """Return the spectrum of a space, (2, size // 2 + 1)."""
    return np.asarray(rfft(impulse_response(name), size), np.complex64)
