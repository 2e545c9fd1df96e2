"""Scales for melodic lines: the scale as MIDI pitches, and how each pitch fits a chord."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.composer.genre import Genre
from tunesmith.composer.theory import MINOR_LIKE, MODES, Chord, Key

CHORD_TONE, SCALE_TONE, CLASHING, OUTSIDE = 0, 1, 2, 3
"""How a pitch fits a chord: a chord tone; a scale tone; a scale tone a semitone from a chord tone; neither."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Scale pitches in ascending MIDI order, climbed step by step."""

    pitches: tuple[int, ...]
    tones_per_octave: int

    def nearest(self, pitch: float) -> int:
        """Return the index of the scale pitch nearest to ``pitch``, the lower of two."""
        index = bisect.bisect_left(self.pitches, pitch)
        around = [i for i in (index - 1, index) if 0 <= i < len(self.pitches)]
        return min(around, key=lambda i: abs(self.pitches[i] - pitch))

    def climb(self, index: int, steps: int) -> int:
        """Return the pitch ``steps`` above index ``index``, limited to the ends."""
        return self.pitches[min(max(index + steps, 0), len(self.pitches) - 1)]


def ladder(pitch_classes: Iterable[int]) -> Ladder:
    """Return the ladder of pitch classes over the whole MIDI range."""
    wanted = frozenset(pitch_classes)
    return Ladder(tuple(pitch for pitch in range(128) if pitch % 12 in wanted), len(wanted))


def line_scale(key: Key, genre: Genre) -> tuple[int, ...]:
    """Return the pitch classes of the genre's lead in this key.

    A minor-like scale over a major-like key starts on the relative minor, and the other way round, so that it agrees
    with the chords; only blues sets minor against major on purpose.
    """
    name = genre.melody.scale
    if name is None or name not in MODES:
        return key.pitch_classes
    minor = name in MINOR_LIKE or name in ("in", "phrygian dominant")
    shift = 0
    # Compared by their thirds: only where these differ does the scale clash with the chords.
    if minor != key.is_minor and genre.harmony.style != "blues":
        shift = -3 if minor else 3
    return tuple((key.tonic + shift + step) % 12 for step in MODES[name])


def chord_tone_rank(chord: Chord, scale: Iterable[int]) -> npt.NDArray[np.int64]:
    """Return how each of the 128 pitches fits ``chord``: (128,) of CHORD_TONE … OUTSIDE.

    A bare fifth leaves its third to the line: the scale's third counts as a chord tone.
    """
    scale = frozenset(scale)
    tones = frozenset(chord.pitch_classes)
    # Over power chords, the lead decides between major and minor.
    if chord.quality == "5":
        tones |= {(chord.root + third) % 12 for third in (3, 4)} & scale
    classes = np.full(12, OUTSIDE)
    for pitch_class in scale:
        altered = (pitch_class + 1) % 12 in tones and (pitch_class + 1) % 12 not in scale
        # A semitone above a chord tone is the harshest dissonance; one below an altered chord tone is a false relation.
        classes[pitch_class] = CLASHING if (pitch_class - 1) % 12 in tones or altered else SCALE_TONE
    for pitch_class in tones:
        classes[pitch_class] = CHORD_TONE
    # One octave repeated: only the pitch class matters.
    return np.tile(classes, 11)[:128]
