"""What every voice looks like: one tone in, its sound out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tunesmith.audio.buffer import Samples

SAMPLE_RATE = 44_100
"""The rate in Hz at which the composer works; other rates are resampled at the end."""

TARGET_LEVEL_DB = -20.0
"""How loud every voice is, so that parts with equal ``gain_db`` sound equally loud: a note in the middle of its range
at velocity 100 has this K-weighted (ITU-R BS.1770) mean power, in decibels below full scale, averaged over both sides
and over the part of its first half second that sounds. Kick and snare are 6 dB above it over a fifth of a second."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A note in seconds: ``pitch`` MIDI (a drum key for kits), ``velocity`` 1–127, ``seconds`` until it is let go.

    ``glide`` semitones as in Note. ``variation`` counts the player's notes, for round robin.
    """

    pitch: int
    velocity: int
    seconds: float
    glide: int = 0
    variation: int = 0


class Voice(Protocol):
    """Turns tones into sound. The same tone always gives the same samples; calls may come in any order."""

    def sound(self, tone: Tone) -> Samples:
        """Return (2, samples) at SAMPLE_RATE from the onset to the end of the release, at the TARGET_LEVEL_DB.

        The result may be shared with a cache: never write into it.
        """
        ...
