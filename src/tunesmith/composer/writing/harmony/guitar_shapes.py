"""Chord shapes of a guitar in standard tuning: one fret per string, within the reach of four fingers."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

from tunesmith.composer.theory import Chord
from tunesmith.composer.writing.harmony.voicing import FREE, Pitches, VoiceLeading

# E2 A2 D3 G3 B3 E4.
STRINGS = (40, 45, 50, 55, 59, 64)
HIGHEST_POSITION = 7
# Frets that a position spans, the first one included.
SPAN = 4
# The open strings ring along in the lowest positions.
OPEN_UP_TO = 2
FEWEST = 4
# A bass note above D3 sounds thin.
HIGH_BASS = 50
# The bass note lies on one of the lowest strings.
BASS_STRINGS = 3


# Cached: a song repeats its chords, and the search tries a few hundred shapes.
@functools.lru_cache(maxsize=16384)
def guitar_shape(
    chord: Chord, register: int, limits: tuple[int, int], count: int, leading: VoiceLeading = FREE
) -> Pitches:
    """Return the ascending pitches of ``chord`` on at most ``count`` strings, with its bass note at the bottom.

    Empty where no shape fits the limits.
    """
    return min(
        (shape for shape in _shapes(chord) if limits[0] <= shape[0] and shape[-1] <= limits[1] and len(shape) <= count),
        # The pitches break ties, so that equal costs give the same shape everywhere.
        key=lambda shape: (_cost(shape, chord, register, leading), shape),
        default=(),
    )


@functools.lru_cache(maxsize=1024)
def _shapes(chord: Chord) -> tuple[Pitches, ...]:
    return tuple(sorted({shape for position in range(HIGHEST_POSITION + 1) for shape in _at(chord, position)}))


def _at(chord: Chord, position: int) -> Iterator[Pitches]:
    """Yield the shapes of one position: neighbouring strings from the bass note up, each on a chord tone."""
    classes = frozenset(chord.pitch_classes)
    choices = [tuple(p for p in _frets(string, position) if p % 12 in classes) for string in STRINGS]
    for lowest in range(BASS_STRINGS):
        bass = [p for p in _frets(STRINGS[lowest], position) if p % 12 == chord.bass_pitch_class]
        for shape in itertools.product(bass, *choices[lowest + 1 :]):
            if all(low < high for low, high in itertools.pairwise(shape)):
                # The highest strings may rest, where a lead needs their register.
                yield from (shape[:count] for count in range(FEWEST, len(shape) + 1))


def _frets(string: int, position: int) -> tuple[int, ...]:
    """Return the pitches of a string that a hand at ``position`` reaches, the open string among them where it is near.

    Position 0 is the open string and the first three frets.
    """
    reached = tuple(string + fret for fret in range(position, position + SPAN))
    return (string, *reached) if 0 < position <= OPEN_UP_TO else reached


def _cost(shape: Pitches, chord: Chord, register: int, leading: VoiceLeading) -> float:
    # A missing third or seventh makes it another chord; the fifth can be spared.
    needed = {tone for tone, step in zip(chord.pitch_classes, chord.intervals, strict=True) if step not in (6, 7, 8)}
    missing = len(needed - {pitch % 12 for pitch in shape})
    cost = 5.0 * missing + 0.5 * abs(sum(shape) / len(shape) - register)
    # The low strings are what makes it a guitar.
    cost += 0.6 * max(0, shape[0] - HIGH_BASS)
    # Six strings without need sound crowded when several are the same note.
    cost += 0.4 * (len(shape) - len({pitch % 12 for pitch in shape}))
    if leading.top is not None:
        cost += 2.0 * abs(shape[-1] - leading.top)
    if leading.previous:
        cost += 0.25 * sum(min(abs(p - q) for q in leading.previous) for p in shape)
    return cost + 0.8 * len(set(shape) & set(leading.avoid))
