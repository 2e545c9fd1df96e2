"""The key and the meter of notes that do not name theirs.

Keys by correlation with the probe-tone profiles of Krumhansl, "Cognitive Foundations of Musical Pitch" (1990).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.composer.score import Note
from tunesmith.composer.theory import Key, Meter

PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
# How much the first and the last pitch speak for their tonic.
FRAME_WEIGHT = 0.12
# How much better bars of three must fit than bars of four.
MARGIN = 1.1
FEWEST_NOTES = 8


def key_of(notes: Sequence[Note]) -> Key:
    """Return the major or minor key that fits best the time that each pitch class sounds."""
    held: npt.NDArray[np.float64] = np.zeros(12)
    for note in notes:
        held[note.pitch % 12] += min(note.length, 4.0)
    scores = {
        Key(tonic, mode): _fit(np.roll(held, -tonic), profile) + _frame(notes, tonic)
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    }
    return max(scores, key=lambda key: (scores[key], -key.tonic, key.mode))


def meter_of(notes: Sequence[Note]) -> Meter:
    """Return 3/4 where long and loud notes begin every three beats, else 4/4."""
    if len(notes) < FEWEST_NOTES:
        return Meter(4, 4)
    return Meter(3, 4) if _weight_on(notes, 3) * 3 > MARGIN * _weight_on(notes, 4) * 4 else Meter(4, 4)


def _fit(held: npt.NDArray[np.float64], profile: Sequence[float]) -> float:
    # All pitch classes alike, as in a chromatic scale, say nothing about the key.
    if np.ptp(held) == 0:
        return 0.0
    return float(np.corrcoef(held, np.array(profile))[0, 1])


def _frame(notes: Sequence[Note], tonic: int) -> float:
    lowest = min((note for note in notes if note.start == notes[-1].start), key=lambda note: note.pitch)
    return FRAME_WEIGHT * (lowest.pitch % 12 == tonic) + FRAME_WEIGHT / 2 * (notes[0].pitch % 12 == tonic)


def _weight_on(notes: Sequence[Note], beats: int) -> float:
    """Return the share of length and loudness that begins on the first beats of bars."""
    weights = [note.length * note.velocity for note in notes]
    on_first = [weight for note, weight in zip(notes, weights, strict=True) if abs(_place(note, beats)) < 0.06]
    return sum(on_first) / sum(weights)


def _place(note: Note, beats: int) -> float:
    return (note.start + beats / 2) % beats - beats / 2
