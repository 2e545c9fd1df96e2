"""Motifs: a short idea with a rhythm and a contour, and its transformations.

A motif is a row of Strokes: start and length in beats from its first bar line, height in scale steps from an anchor.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.rng import chance_of, weighted_choice
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.melody.contour import draw_contour, draw_figure
from tunesmith.composer.writing.melody.rhythm import Cell, RhythmTaste, draw_cell, groups_of, onsets


@dataclass(frozen=True, slots=True)
class Stroke:
    """A note of a motif.

    ``step`` counts scale steps from the anchor; ``close`` is ``?`` for the end of a question (antecedent) and ``!`` for
    the end of an answer (consequent).
    """

    start: float
    length: float
    step: int
    close: str = ""

    @property
    def end(self) -> float:
        """The end in beats."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Motif:
    """Strokes over ``beats`` beats, which are whole bars."""

    strokes: tuple[Stroke, ...]
    beats: float


@dataclass(frozen=True, slots=True)
class MotifTaste:
    """The motifs that a line prefers: their rhythm, share of leaps 0–1, ``span`` in steps and number of ``bars``."""

    rhythm: RhythmTaste
    leap: float
    span: int
    bars: int


BAR_FORMS: Mapping[int, tuple[str, ...]] = {
    1: ("A",),
    2: ("AA", "AA", "AA", "AB"),
    4: ("AAAB", "AABA", "ABAB", "AABC"),
}
"""Bars of a motif → which of them share a rhythm: a rhythm that returns in the next bar is what makes a hook."""
GROUP_FORMS: Mapping[int, tuple[str, ...]] = {
    1: ("a",),
    2: ("ab", "ab", "aa"),
    3: ("aab", "aba", "abb", "abc"),
    4: ("abab", "aaab", "abac", "aabb"),
}
"""Groups of a bar → which of them share a rhythm and a figure."""
# In steps.
WIDEST_IDEA = 8
ATTEMPTS = 24
# The least share of the commonest time between the notes of a motif; folk tunes have .58 to .88.
COMMONEST_SHARE = 0.6
# How often a motif takes over the rhythm of its kin.
KIN_RHYTHM = 0.4
# In beats: starts are sums of fractions.
EPSILON = 1e-6


def draw_motif(random: np.random.Generator, meter: Meter, taste: MotifTaste, kin: Motif | None = None) -> Motif:
    """Draw a motif; one with ``kin`` sometimes takes over its rhythm, so that the two belong together."""
    bar = groups_of(meter, taste.rhythm.density)
    beats = sum(bar) * taste.bars
    strokes = _sketch(random, bar, taste)
    # A bounded number of attempts: a sparse taste may never give a distinctive motif.
    for _ in range(ATTEMPTS):
        if _is_distinctive(strokes) and _pulse_share(strokes, beats, kin) >= COMMONEST_SHARE:
            break
        strokes = _sketch(random, bar, taste)
    if kin is not None and chance_of(random, KIN_RHYTHM) and kin.beats == beats:
        strokes = _borrow_rhythm(strokes, kin)
    return Motif(_anticipated(random, strokes, taste.rhythm, meter.beats_per_bar), beats)


def _sketch(random: np.random.Generator, bar: tuple[float, ...], taste: MotifTaste) -> tuple[Stroke, ...]:
    groups = bar * taste.bars
    letters = _letters(random, len(bar), taste.bars)
    cells = _cells(random, groups, letters, taste.rhythm)
    rhythm = [(sum(groups[:index]), cell) for index, cell in enumerate(cells)]
    return _shape(random, rhythm, letters, taste, sum(groups))


def _pulse_share(strokes: tuple[Stroke, ...], beats: float, kin: Motif | None) -> float:
    """Return the share of notes that follow at one distance: that of the ``kin``, or else the commonest."""
    steps = _distances(strokes, beats)
    pulse = _distances(kin.strokes, kin.beats) if kin is not None and kin.strokes else steps
    return steps[max(pulse, key=lambda step: (pulse[step], -step))] / len(strokes)


def _distances(strokes: tuple[Stroke, ...], beats: float) -> Counter[float]:
    """Count the times from note to note, that from the last to the first of a repetition included."""
    starts = [stroke.start for stroke in strokes]
    return Counter(round(b - a, 3) for a, b in itertools.pairwise([*starts, beats + starts[0]]))


def _is_distinctive(strokes: tuple[Stroke, ...]) -> bool:
    """Return whether a motif is recognisable: enough pitches, a direction, and more than one note length."""
    if len(strokes) < 3:
        return len(strokes) == 2
    steps = [stroke.step for stroke in strokes]
    still = sum(a == b for a, b in itertools.pairwise(steps))
    wanted = 3 if len(strokes) < 6 else 4
    return (
        len(set(steps)) >= wanted
        and max(steps) - min(steps) <= WIDEST_IDEA
        and still <= len(strokes) // 3
        and len({round(stroke.length, 3) for stroke in strokes}) > 1
    )


def _letters(random: np.random.Generator, groups: int, bars: int) -> tuple[str, ...]:
    """Return a letter for each group of each bar; equal letters share a rhythm and a figure."""
    # A bar of many groups repeats the form of four.
    form = weighted_choice(random, GROUP_FORMS[min(groups, 4)])
    inside = [form[index % len(form)] for index in range(groups)]
    # Bars of their own rhythm still begin as the first one does.
    return tuple(
        letter if bar == "A" or (index == 0 and groups > 1) else bar + letter
        for bar in weighted_choice(random, BAR_FORMS[bars])
        for index, letter in enumerate(inside)
    )


def _cells(
    random: np.random.Generator, groups: tuple[float, ...], letters: tuple[str, ...], taste: RhythmTaste
) -> list[Cell]:
    drawn: dict[tuple[str, float], Cell] = {}
    last: Cell | None = None
    # Groups with the same letter share one cell: repetition is what makes a rhythm memorable.
    for letter, length in zip(letters, groups, strict=True):
        if (letter, length) not in drawn:
            drawn[letter, length] = draw_cell(random, length, taste, avoid=last)
        last = drawn[letter, length]
    return [drawn[letter, length] for letter, length in zip(letters, groups, strict=True)]


def _shape(
    random: np.random.Generator,
    rhythm: list[tuple[float, Cell]],
    letters: tuple[str, ...],
    taste: MotifTaste,
    beats: float,
) -> tuple[Stroke, ...]:
    count = sum(len(onsets(cell)) for _, cell in rhythm)
    contour = draw_contour(random, min(taste.span, max(3, round(0.7 * count))))
    figures: dict[tuple[str, Cell], tuple[int, ...]] = {}
    strokes: list[Stroke] = []
    for (start, cell), letter in zip(rhythm, letters, strict=True):
        notes = onsets(cell)
        goal = contour((start + sum(map(abs, cell))) / beats)
        here = strokes[-1].step if strokes else 0
        if (letter, cell) not in figures:
            figures[letter, cell] = draw_figure(random, len(notes), goal - here, taste.leap)
        figure = figures[letter, cell]
        first = _entry(random, strokes, contour(start / beats), figure)
        steps = np.cumsum((first, *figure)).tolist()
        strokes += [Stroke(start + at, length, step) for (at, length), step in zip(notes, steps, strict=True)]
    return _recovered(strokes)


def _recovered(strokes: list[Stroke]) -> tuple[Stroke, ...]:
    """Step back after every leap of a fourth or more."""
    line = list(strokes)
    for index in range(2, len(line)):
        leap = line[index - 1].step - line[index - 2].step
        move = line[index].step - line[index - 1].step
        if abs(leap) >= 3 and (move * leap > 0 or abs(move) > 3):
            line[index] = replace(line[index], step=line[index - 1].step + (-1 if leap > 0 else 1))
    return tuple(line)


def _entry(random: np.random.Generator, strokes: list[Stroke], goal: float, figure: tuple[int, ...]) -> int:
    """Return the first step of the next group: towards the contour, by step after a leap, never far."""
    if not strokes:
        return 0
    here = strokes[-1].step
    moves = (-3, -2, -1, 0, 1, 2, 3)
    # The constant keeps every move possible, so that the weights are never all zero.
    weights = [np.exp(-0.6 * abs(here + move - goal)) * (0.8, 1.2, 0.35, 0.12)[abs(move)] + 1e-6 for move in moves]
    if len(strokes) > 1 and abs(leap := here - strokes[-2].step) > 2:
        weights = [w * (4 if move in (-1, -2) else 1) if leap > 0 else w * (4 if move in (1, 2) else 1)
                   for w, move in zip(weights, moves, strict=True)]  # fmt: skip
    if not figure:
        # A group of one note that repeats the last one would add nothing.
        weights[3] *= 0.4
    return here + weighted_choice(random, moves, weights)


def _borrow_rhythm(strokes: tuple[Stroke, ...], kin: Motif) -> tuple[Stroke, ...]:
    """Return the contour of ``strokes`` in the rhythm of ``kin``, with neighbour tones where it has more notes."""
    places = [min(index * len(strokes) // len(kin.strokes), len(strokes) - 1) for index in range(len(kin.strokes))]
    again = [index > 0 and place == places[index - 1] for index, place in enumerate(places)]
    return tuple(
        replace(stroke, step=strokes[place].step + (1 if repeated else 0))
        for stroke, place, repeated in zip(kin.strokes, places, again, strict=True)
    )


def _anticipated(
    random: np.random.Generator, strokes: tuple[Stroke, ...], taste: RhythmTaste, bar: float
) -> tuple[Stroke, ...]:
    """Anticipate some notes on the beat by half a beat, the same ones in every bar."""
    early = max(0.5, taste.shortest)
    moved = list(strokes)
    drawn: dict[float, bool] = {}
    for index in range(1, len(moved)):
        before, note = moved[index - 1], moved[index]
        room = before.length > early + 0.2 and note.start % 1 == 0 and note.length >= 1
        place = round(note.start % bar, 3)
        if room and drawn.setdefault(place, chance_of(random, 0.5 * taste.syncopation)):
            moved[index - 1] = replace(before, length=min(before.length, note.start - early - before.start))
            moved[index] = replace(note, start=note.start - early, length=note.length + early)
    return tuple(moved)


def sequenced(motif: Motif, steps: int) -> Motif:
    """Return the motif ``steps`` scale steps higher."""
    return replace(motif, strokes=tuple(replace(s, step=s.step + steps) for s in motif.strokes))


def inverted(motif: Motif) -> Motif:
    """Return the motif inverted around its first note."""
    axis = 2 * motif.strokes[0].step if motif.strokes else 0
    return replace(motif, strokes=tuple(replace(s, step=axis - s.step) for s in motif.strokes))


def fragmented(motif: Motif, rise: int = 1) -> Motif:
    """Return the first half of the motif twice, the second time ``rise`` steps higher."""
    half = motif.beats / 2
    head = [replace(s, length=min(s.length, half - s.start)) for s in motif.strokes if s.start < half - 1e-6]
    return Motif((*head, *(replace(s, start=s.start + half, step=s.step + rise) for s in head)), motif.beats)


def thinned(motif: Motif, shortest: float) -> Motif:
    """Return the motif without notes shorter than ``shortest`` beats; the notes before them ring on."""
    return _without(motif, lambda stroke: stroke.length < shortest)


def on_pulses(motif: Motif, pulse: float) -> Motif:
    """Return the motif without the shorter notes between pulses of so many beats; the notes before them ring on."""
    return _without(motif, lambda stroke: stroke.length < pulse - EPSILON and stroke.start % pulse > EPSILON)


def _without(motif: Motif, leaves: Callable[[Stroke], bool]) -> Motif:
    kept: list[Stroke] = []
    for stroke in motif.strokes:
        if not kept or stroke.close or not leaves(stroke):
            kept.append(stroke)
        else:
            kept[-1] = replace(kept[-1], length=stroke.end - kept[-1].start)
    return replace(motif, strokes=tuple(kept))


def closed(motif: Motif, at: float, until: float, close: str) -> Motif:
    """End a motif with one long note from beat ``at`` to ``until``, open (``?``) or conclusive (``!``)."""
    kept = [replace(s, length=min(s.length, at - s.start)) for s in motif.strokes if s.start < at - 1e-6]
    last = kept[-1].step if kept else (motif.strokes[0].step if motif.strokes else 0)
    # Questions end upward and answers downward, as in speech.
    step = last - 1 if close == "!" else last + 1
    return replace(motif, strokes=(*kept, Stroke(at, until - at, step, close)))
