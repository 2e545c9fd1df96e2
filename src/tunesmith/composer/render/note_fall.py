"""The fall of a note after its onset: it speaks, and then makes room for the others, as players in a band do."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import Instrument
from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.noise_kinds import BY_INSTRUMENT, KEY, is_exact
from tunesmith.composer.sound.voice import SAMPLE_RATE, distinct_rows

# The slowest fall, of 11 dB in 0.7 s, is then within 0.04 dB of its end.
LONGEST = 4 * SAMPLE_RATE
"""Samples after which a fall is over."""


@dataclass(frozen=True, slots=True)
class NoteFall:
    """A fall by ``decibels`` with a time constant of ``seconds``."""

    decibels: float
    seconds: float


FALLS: Mapping[str, NoteFall] = {
    "chords": NoteFall(8.5, 0.25), "arpeggio": NoteFall(8, 0.25), "pad": NoteFall(11, 0.7),
    "counter": NoteFall(4, 0.25), "melody": NoteFall(4, 0.25),
}  # fmt: skip
"""The falls by role: the bass carries the others, and drums fall by themselves."""

RINGING = frozenset({"keys", "guitar", "plucked", "mallets"})
RINGING_SHARE = 0.6
"""The share of the fall for strings and bars that are struck or plucked: they fall by themselves as well."""


def fall_of(role: str, played: Instrument) -> NoteFall | None:
    """Return the fall of an instrument's notes in a role, or None: drums and exact machines have none."""
    if is_exact(played) or played.is_kit or (fall := FALLS.get(role)) is None:
        return None
    # Organs are keys too, but hold their tone.
    rings = played.family in RINGING and BY_INSTRUMENT.get(played.name) is not KEY
    return replace(fall, decibels=RINGING_SHARE * fall.decibels) if rings else fall


def fallen(sound: Samples, fall: NoteFall) -> Samples:
    """Return (2, n) with a fall after its onset."""
    length, gains = sound.shape[1], _gains(fall)
    if length > len(gains):
        # The fall stays where it ended: zeros would cut a long note off.
        gains = np.pad(gains, (0, length - len(gains)), mode="edge")
    return np.broadcast_to(np.asarray(distinct_rows(sound) * gains[:length], np.float32), sound.shape)


@functools.lru_cache(maxsize=16)
def _gains(fall: NoteFall) -> Floats:
    """Return the gains over time, (LONGEST,)."""
    share = 1 - np.exp(-np.arange(LONGEST) / (fall.seconds * SAMPLE_RATE))
    return np.asarray(10 ** (-fall.decibels / 20 * share), np.float32)
