"""The top voice of an accompaniment: a line of its own that sings, found as the cheapest path through the chords."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tunesmith.composer.theory import Chord
from tunesmith.composer.writing.harmony.scales import CHORD_TONE, SCALE_TONE, chord_tone_rank

CONTOURS: tuple[tuple[float, ...], ...] = (
    (0.0, 0.4, 1.0, 0.3), (0.8, 0.3, 0.0, 0.5), (0.2, 0.6, 0.4, 1.0), (1.0, 0.7, 0.4, 0.0), (0.5, 1.0, 0.5, 0.0),
    (0.4, 0.0, 0.6, 1.0),
)  # fmt: skip
"""Shapes of the line over its length, 0 at the lowest and 1 at the highest."""
# Semitones between the lowest and the highest place of a contour.
REACH = 8.0
# Cost of each distance in semitones between two neighbours of the line; farther ones cost FAR.
STEPS = (1.6, 0.2, 0.0, 0.5, 0.8, 1.6, 2.6, 2.4)
FAR = 6.0
PASSING = 0.9
# A tone outside the chord moves by at most this many semitones.
STEPWISE = 2
FORBIDDEN = 100.0


@dataclass(frozen=True, slots=True)
class TopSlot:
    """A stretch of one chord with one top note.

    ``passing`` allows a scale tone that the chord lacks; ``moves`` says that the note before must not be held.
    """

    chord: Chord
    passing: bool = False
    moves: bool = False


def top_line(
    slots: Sequence[TopSlot], limits: tuple[int, int], scale: Iterable[int], contour: Sequence[float]
) -> tuple[int, ...]:
    """Return one MIDI pitch within ``limits`` per slot: steps rather than leaps, along ``contour``.

    A slot whose chord has no tone within the limits takes the lower limit.
    """
    classes = tuple(scale)
    middle = (limits[0] + limits[1]) / 2
    # Cost and path so far, by the pitch in which the path ends.
    paths: dict[int, tuple[float, tuple[int, ...]]] = {}
    for index, slot in enumerate(slots):
        target = middle + REACH * (_at(contour, index / len(slots)) - 0.5)
        ranks = chord_tone_rank(slot.chord, classes)
        highest_rank = SCALE_TONE if slot.passing and index else CHORD_TONE
        options = [p for p in range(limits[0], limits[1] + 1) if ranks[p] <= highest_rank] or [limits[0]]
        paths = {
            pitch: _best(paths, pitch, 0.18 * abs(pitch - target), foreign=bool(ranks[pitch]), moves=slot.moves)
            for pitch in options
        }
    return min(paths.values(), default=(0.0, ()))[1]


def _best(
    paths: dict[int, tuple[float, tuple[int, ...]]], pitch: int, cost: float, *, foreign: bool, moves: bool
) -> tuple[float, tuple[int, ...]]:
    if not paths:
        return cost, (pitch,)
    total, line = min(
        (before + _step(line[-1], pitch, foreign=foreign, moves=moves), line) for before, line in paths.values()
    )
    return total + cost + (PASSING if foreign else 0.0), (*line, pitch)


def _step(before: int, pitch: int, *, foreign: bool, moves: bool) -> float:
    distance = abs(pitch - before)
    if (moves and distance == 0) or (foreign and not 0 < distance <= STEPWISE):
        return FORBIDDEN
    return STEPS[distance] if distance < len(STEPS) else FAR


def _at(contour: Sequence[float], share: float) -> float:
    """Return the height of the contour at ``share`` of its length, 0–1."""
    place = share * (len(contour) - 1)
    index = min(int(place), len(contour) - 2)
    return contour[index] + (contour[index + 1] - contour[index]) * (place - index)
