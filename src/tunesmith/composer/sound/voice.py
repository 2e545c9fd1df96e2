"""The protocol of a voice: one tone in, its sound out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tunesmith.audio.buffer import Samples

SAMPLE_RATE = 44_100
"""The rate in Hz at which the composer works; other rates are resampled at the end."""

TARGET_LEVEL_DB = -20.0
"""The level of every voice, so that parts with equal ``gain_db`` sound equally loud.

A note in the middle of its range at velocity 100 has this K-weighted (ITU-R BS.1770) mean power, in decibels below full
scale, averaged over both channels and over the sounding part of its first half second. Kick and snare are 6 dB above it
over a fifth of a second.
"""


@dataclass(frozen=True, slots=True)
class Tone:
    """A note in seconds: MIDI ``pitch`` (a drum key for kits), ``velocity`` 1–127, ``seconds`` until its release.

    ``glide`` is in semitones, as in Note. ``variation`` counts the player's notes, for round robin. ``chance`` are 64
    random bits, from which a voice draws how this note differs from others of its kind; 0 is a note of no difference.
    """

    pitch: int
    velocity: int
    seconds: float
    glide: int = 0
    variation: int = 0
    chance: int = 0


def distinct_rows(sound: Samples) -> Samples:
    """Return (2, n), or (1, n) of a sound in the centre: one row of memory that is seen as two."""
    return sound[:1] if sound.strides[0] == 0 else sound


class Voice(Protocol):
    """A sound source for tones; the same tone always gives the same samples, and calls may come in any order."""

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples) at SAMPLE_RATE from the onset to the end of the release, at the TARGET_LEVEL_DB.

        The result may be shared with a cache: never write into it.
        """
        ...
