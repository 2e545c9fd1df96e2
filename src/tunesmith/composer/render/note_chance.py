"""Chance for each note: numbers that depend on the seed, the part, and the note's place and pitch, on nothing else.

A note that is added or removed leaves the chance of all others as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Note
from tunesmith.composer.theory import TICKS_PER_BEAT

# The multipliers of SplitMix64 (Steele, Lea and Flood, 2014).
_STEPS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST = np.uint64(31)
# More than MIDI's highest pitch, 127, so that no two pairs of time and pitch share a place.
_PITCHES = 128


def note_chances(seed: int, part: str, notes: Sequence[Note]) -> npt.NDArray[np.uint64]:
    """Return 64 random bits for each note, (notes,)."""
    key = rng_for(seed, "note chance", part).integers(0, 1 << 64, dtype=np.uint64)
    places = [round(note.start * TICKS_PER_BEAT) * _PITCHES + note.pitch for note in notes]
    # SplitMix64's increment, 2⁶⁴ over the golden ratio: neighbouring places end up far apart. The product wraps around.
    bits = np.array(places, np.uint64) * np.uint64(0x9E3779B97F4A7C15) + key
    for shift, multiplier in _STEPS:
        bits = (bits ^ (bits >> shift)) * multiplier
    return np.asarray(bits ^ (bits >> _LAST), np.uint64)
