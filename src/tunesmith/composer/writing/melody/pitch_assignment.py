"""Pitch assignment: pitches that keep a motif's contour and fit the harmony, chosen for the whole line at once.

Each note may take any pitch of a range. A pitch costs by how it fits the chord; a move costs by its distance from the
intended interval and by how it leaves dissonances. The cheapest path (Viterbi) is the line.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.composer.theory import Chord
from tunesmith.composer.writing.harmony.scales import chord_tone_rank
from tunesmith.composer.writing.plan import Plan

Costs = npt.NDArray[np.float64]

SITTING_COST: Mapping[str, tuple[float, float, float, float]] = {
    "strong": (0.0, 4.0, 20.0, 60.0),
    "medium": (0.0, 1.2, 8.0, 40.0),
    "weak": (0.15, 0.3, 1.2, 30.0),
}
"""Metric weight → cost of a chord tone, another scale tone, a clashing one, and one outside the scale."""
LEAVING_DISSONANCE = 4.0
REACHING_DISSONANCE = 2.5
CLOSE_COST = 5.0
AWAY_COST: Mapping[str, float] = {"strong": 0.7, "medium": 0.3, "weak": 0.0}
"""Metric weight → cost of a pitch outside the tonic triad: long notes on strong beats establish the key."""
COLOUR_COST: Mapping[str, float] = {"strong": 0.5, "medium": 0.2, "weak": 0.0}
"""Metric weight → cost of a chord's seventh, ninth or thirteenth against its triad."""
UNMEANT_REPEAT = 3.0
# More than any line can save by leaving a fixed pitch.
FIXED_COST = 1e6


@dataclass(frozen=True, slots=True)
class PitchPreference:
    """A note to assign: ``start`` and ``length`` in beats, the intended ``pitch``, and ``close`` as in Stroke.

    A ``fixed`` pitch is given, and only the notes around it are chosen.
    """

    start: float
    length: float
    pitch: int
    close: str = ""
    fixed: int | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """The pitches that a line may use, ``low`` to ``high``, and its scale in pitch classes."""

    low: int
    high: int
    scale: tuple[int, ...]
    tonic: int


def assign_pitches(plan: Plan, preferences: Sequence[PitchPreference], compass: Range) -> tuple[int, ...]:
    """Return one pitch per preference."""
    if not preferences:
        return ()
    table = _Table(plan, compass)
    moves = _moves(compass)
    total = table.cost(preferences[0])
    behind: list[npt.NDArray[np.int64]] = []
    # Dynamic programming: per pitch of the present note, only the cheapest way to reach it matters.
    for before, preference in itertools.pairwise(preferences):
        step = _step_cost(moves, table, before, preference)
        paths = total[:, None] + step
        back = np.argmin(paths, axis=0)
        behind.append(back)
        total = paths[back, np.arange(len(back))] + table.cost(preference)
    # Argmin takes the lowest of equal costs, so that the line is deterministic.
    index = int(np.argmin(total))
    line = [index]
    for back in reversed(behind):
        index = int(back[index])
        line.append(index)
    return tuple(compass.low + index for index in reversed(line))


def home_triad(compass: Range) -> frozenset[int]:
    """Return the pitch classes of the tonic triad, with the third of the scale."""
    thirds = [third for third in (4, 3) if (compass.tonic + third) % 12 in compass.scale]
    return frozenset((compass.tonic + step) % 12 for step in (0, *thirds[:1], 7))


def metric_weight(plan: Plan, start: float, length: float) -> str:
    """Return the metric weight: ``strong`` (first of a group, very long), ``medium`` (on a beat, long) or ``weak``."""
    at = start % plan.beats_per_bar
    pulse = plan.meter.felt_beat
    main = pulse * 2 if not plan.meter.is_compound and plan.meter.numerator % 2 == 0 else pulse
    first = plan.beats_per_bar if plan.meter.numerator in (3, 5, 7) else main
    if at % first < 1e-6 or length >= 2 * pulse:
        return "strong"
    return "medium" if at % pulse < 1e-6 or length >= pulse else "weak"


def harmony_of(plan: Plan, start: float, length: float) -> Chord:
    """Return the chord that a note belongs to: the next one where most of the note sounds over it."""
    return plan.chord_at(start + min(length * 0.5, 1.0) if length > 0.4 else start).chord


class _Table:
    """The costs of each pitch in the range by chord, cached while one line is assigned."""

    def __init__(self, plan: Plan, compass: Range) -> None:
        self.plan = plan
        self.compass = compass
        self.pitches = np.arange(compass.low, compass.high + 1)
        self._sitting: dict[Chord, npt.NDArray[np.int64]] = {}
        self._base: dict[tuple[Chord, str], Costs] = {}
        self._close: dict[tuple[Chord, str], Costs] = {}

    def sits(self, chord: Chord) -> npt.NDArray[np.int64]:
        if chord not in self._sitting:
            everywhere = chord_tone_rank(chord, self.compass.scale)
            self._sitting[chord] = everywhere[self.compass.low : self.compass.high + 1]
        return self._sitting[chord]

    def base(self, chord: Chord, weight: str) -> Costs:
        if (chord, weight) not in self._base:
            costs = np.array(SITTING_COST[weight])[self.sits(chord)]
            foreign = ~np.isin(self.pitches % 12, self.compass.scale)
            # A chord tone outside the scale, such as a borrowed third, may colour a strong beat but not a passing tone.
            costs = costs + np.where(foreign, 1.5 if weight == "strong" else 4.0, 0.0)
            costs += np.where(self._is_within(home_triad(self.compass)), 0.0, AWAY_COST[weight])
            # Chord qualities list root, third and fifth first; the rest are extensions.
            coloured = self._is_within(chord.pitch_classes) & ~self._is_within(chord.pitch_classes[:3])
            self._base[chord, weight] = costs + np.where(coloured, COLOUR_COST[weight], 0.0)
        return self._base[chord, weight]

    def _is_within(self, classes: Iterable[int]) -> npt.NDArray[np.bool_]:
        return np.isin(self.pitches % 12, sorted(classes))

    def closing(self, chord: Chord, close: str) -> Costs:
        if (chord, close) not in self._close:
            # An answer ends on tonic or third, a question on a tone that leads on.
            home = {(self.compass.tonic + step) % 12 for step in ((0, 3, 4) if close == "!" else (2, 5, 7, 11))}
            welcome = np.isin(self.pitches % 12, sorted(home))
            self._close[chord, close] = np.where(welcome, 0.0, CLOSE_COST)
            if close == "!":
                self._close[chord, close] += np.where(self.pitches % 12 == self.compass.tonic, 0.0, 1.0)
        return self._close[chord, close]

    def cost(self, preference: PitchPreference) -> Costs:
        if preference.fixed is not None:
            return np.where(self.pitches == preference.fixed, 0.0, FIXED_COST)
        chord = harmony_of(self.plan, preference.start, preference.length)
        costs = self.base(chord, metric_weight(self.plan, preference.start, preference.length))
        costs = costs + 0.28 * np.abs(self.pitches - preference.pitch)
        return costs + self.closing(chord, preference.close) if preference.close else costs


@dataclass(frozen=True, slots=True)
class _Moves:
    # (from, to), in semitones.
    interval: npt.NDArray[np.int64]
    # (from, to).
    awkward: Costs
    # (from, to): 1 where the move is larger than a whole tone.
    by_leap: Costs


def _moves(compass: Range) -> _Moves:
    pitches = np.arange(compass.low, compass.high + 1)
    interval = pitches[None, :] - pitches[:, None]
    size = np.abs(interval)
    # Tritones and sevenths are hard to sing; beyond an octave a line falls apart.
    awkward = np.where(size > 5, 0.45 * (size - 5), 0.0) + np.where(np.isin(size, (6, 10, 11)), 2.5, 0.0)
    awkward += 0.2 * np.maximum(size - 2, 0)
    return _Moves(interval, awkward + np.where(size > 12, 30.0, 0.0), (size > 2).astype(float))


def _step_cost(moves: _Moves, table: _Table, before: PitchPreference, preference: PitchPreference) -> Costs:
    meant = preference.pitch - before.pitch
    cost = 0.8 * np.abs(moves.interval - meant) + moves.awkward
    if preference.start - before.start - before.length > 1.0:
        # Across a rest, the ear is more tolerant.
        return 0.4 * cost
    # A repeated note where none was intended, or the reverse, changes the motif more than a wrong interval does.
    cost = cost + np.where((moves.interval == 0) != (meant == 0), UNMEANT_REPEAT, 0.0)
    leaving = table.sits(harmony_of(table.plan, before.start, before.length)) > 0
    reaching = table.sits(harmony_of(table.plan, preference.start, preference.length)) > 0
    cost += LEAVING_DISSONANCE * leaving[:, None] * moves.by_leap
    cost += LEAVING_DISSONANCE * 0.5 * leaving[:, None] * (moves.interval == 0)
    return cost + REACHING_DISSONANCE * reaching[None, :] * moves.by_leap
