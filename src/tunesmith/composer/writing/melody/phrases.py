"""Phrases: a motif stated, answered, sequenced and closed to form a theme of about eight bars.

A plan such as ``a b? a c!`` names one unit (the length of the motif) per word:
    a the motif   b a second motif   f its first half in sequence   i its inversion   c its head, then a long note
    r a rest
    +2 or -1: scale steps higher or lower   ? open close   ! conclusive close
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.rng import chance_of, rng_for, weighted_choice
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.melody.motif import (
    Motif,
    MotifTaste,
    Stroke,
    closed,
    draw_motif,
    fragmented,
    inverted,
    sequenced,
)
from tunesmith.composer.writing.melody.rhythm import groups_of

PHRASE_PLANS: Mapping[int, tuple[tuple[float, str], ...]] = {
    1: (
        (2.5, "a a+1 a c? a a+1 a c!"), (2.0, "a a b c? a a b c!"), (2.0, "a b a c? a b a c!"),
        (2.0, "a a+1 i c? a a+1 i c!"), (1.5, "a a a+1 c? a a a+1 c!"), (1.0, "a a-1 a c? a a-1 f+1 c!"),
        (1.0, "a a+1 a+2 c? a a+1 a+2 c!"),
    ),
    2: (
        (3.0, "a c? a c!"), (2.0, "a i? a i!"), (2.0, "a b? a c!"), (1.5, "a c+1? a c!"), (1.0, "a a+1? a c!"),
        (0.7, "a a+1 f+2 c!"), (0.7, "a i? a c!"),
    ),
    4: ((3.0, "a? a!"), (1.0, "a? b!")),
}  # fmt: skip
"""Bars of the motif → (weight, plan) of a theme: mostly periods, whose second half repeats the first and closes."""

ANSWERED_PLANS: Mapping[int, tuple[tuple[float, str], ...]] = {
    1: ((1.0, "a a+1 r r a a+1 c! r"), (1.0, "a c? r r a a+1 b c!")),
    2: ((1.0, "a r a c!"),),
    4: (),
}
"""The same for a lead that another player answers: it calls, rests two bars, and calls again."""
# The genre's share of phrases that rest, from which its lead may call, and how often it does.
CALLS_FROM = 0.3
CALL_SHARE = 0.35

PICKUPS: tuple[tuple[tuple[float, int], ...], ...] = (
    (),
    (),
    ((0.5, -1),),
    ((1.0, -2), (0.5, -1)),
    ((1.0, 2), (0.5, 1)),
    ((0.5, -2),),
    ((1.0, -1),),
    ((1.5, -3), (1.0, -2), (0.5, -1)),
)
"""Upbeats: (beats before the bar line, steps from the note after it); a theme uses the same one throughout."""

_WORD = re.compile(r"^([abficr])([+-]\d+)?([?!])?$")


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: its units in order, and the motif from which they derive."""

    motif: Motif
    units: tuple[Motif, ...]

    @property
    def unit_beats(self) -> float:
        """The length of one unit in beats."""
        return self.motif.beats

    @property
    def middle(self) -> float:
        """The mean step of its notes."""
        steps = [stroke.step for unit in self.units for stroke in unit.strokes]
        return sum(steps) / len(steps) if steps else 0.0


@dataclass(frozen=True, slots=True)
class PhraseTaste:
    """The breath of phrases: the share 0–1 that end in a rest, and the ``breath`` in beats that a close leaves.

    ``answered`` says whether another player answers in the rests.
    """

    rest: float
    breath: float
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Draws:
    """The generators of one theme: each decision about it has its own."""

    seed: int
    theme: str

    def __call__(self, purpose: str) -> np.random.Generator:
        """Return the generator of a decision."""
        return rng_for(self.seed, "theme", self.theme, purpose)


def draw_theme(draws: Draws, meter: Meter, taste: MotifTaste, phrasing: PhraseTaste, kin: Motif | None = None) -> Theme:
    """Draw a theme: a motif, a second one, and a plan of their statements."""
    idea = draw_motif(draws("motif"), meter, taste, kin)
    # The second motif knows the first, whose rhythm it may share.
    second = draw_motif(draws("second motif"), meter, taste, idea)
    plan = _plan(draws("plan"), taste, phrasing)
    units = _with_one_climax(_units(draws("closes"), plan, (idea, second), meter, phrasing))
    return Theme(idea, _with_pickups(units, weighted_choice(draws("pickup"), PICKUPS), taste.rhythm.shortest))


def _plan(random: np.random.Generator, taste: MotifTaste, phrasing: PhraseTaste) -> str:
    called = chance_of(random, CALL_SHARE)
    calls = called and phrasing.answered and phrasing.rest >= CALLS_FROM
    options = (calls and ANSWERED_PLANS[taste.bars]) or PHRASE_PLANS[taste.bars]
    return weighted_choice(random, [plan for _, plan in options], [weight for weight, _ in options])


def develop(draws: Draws, theme: Theme, meter: Meter, phrasing: PhraseTaste) -> Theme:
    """Develop a motif: inversion, sequence, fragments."""
    bars = round(theme.unit_beats / meter.beats_per_bar)
    plans = {1: "i i+1 f+1 f+2 i-1 f+2 f+3 c?", 2: "i i+1 f+2 c?", 4: "i? f+2?"}
    units = _units(
        draws("closes"), plans.get(bars, "i f+1 f+2 c?"), (theme.motif, inverted(theme.motif)), meter, phrasing
    )
    return Theme(theme.motif, units)


def _units(
    random: np.random.Generator, plan: str, ideas: tuple[Motif, Motif], meter: Meter, phrasing: PhraseTaste
) -> tuple[Motif, ...]:
    # Drawn once per theme, so that its closes fall on the same beat.
    late = chance_of(random, 0.4)
    # Drawn once per word, so that what returns breathes at the same place.
    breathes: dict[str, bool] = {}
    units = []
    for word in plan.split():
        letter, shift, close = _parsed(word)
        unit = sequenced(_source(letter, ideas), shift)
        if letter == "r":
            unit = silent(unit.beats)
        elif close:
            unit = _close(unit, close, meter, phrasing, late=late or letter != "c")
        # Not every phrase breathes: a line of equal phrases sounds mechanical.
        elif breathes.setdefault(word, chance_of(random, phrasing.rest * 0.4)):
            unit = _breathing(unit, phrasing.breath)
        units.append(unit)
    return tuple(units)


def _parsed(word: str) -> tuple[str, int, str]:
    match = _WORD.match(word)
    if match is None:
        raise ValueError(f"{word!r} is not a unit of a phrase plan")
    return match[1], int(match[2] or 0), match[3] or ""


def _source(letter: str, ideas: tuple[Motif, Motif]) -> Motif:
    idea, second = ideas
    if letter == "f":
        return fragmented(idea)
    if letter == "i":
        return inverted(idea)
    return second if letter == "b" else idea


def _close(unit: Motif, close: str, meter: Meter, phrasing: PhraseTaste, *, late: bool) -> Motif:
    """End a unit on its last bar's first beat, or later in the bar where ``late`` or the unit is one bar long."""
    groups = groups_of(meter)
    bar = unit.beats - meter.beats_per_bar
    middle = sum(groups[: len(groups) // 2]) if len(groups) > 1 else min(1.0, meter.beats_per_bar - 1)
    at = bar + middle if late or unit.beats <= meter.beats_per_bar + 1e-6 else bar
    breath = phrasing.breath * (1.0 + phrasing.rest)
    until = max(at + min(1.0, unit.beats - at), unit.beats - breath)
    return closed(unit, at, until, close)


def _breathing(unit: Motif, breath: float) -> Motif:
    """Shorten or drop the notes in the last ``breath`` beats."""
    limit = unit.beats - breath
    # Notes with less than a fifth of a beat left would be clicks.
    kept = tuple(replace(s, length=min(s.length, limit - s.start)) for s in unit.strokes if s.start < limit - 0.2)
    return replace(unit, strokes=kept or unit.strokes[:1])


def _with_one_climax(units: tuple[Motif, ...]) -> tuple[Motif, ...]:
    """Raise the highest long note of the later half, so that the theme has exactly one climax."""
    half = len(units) // 2
    # The climax belongs in the later half, where a melody is expected to peak.
    later = [(index, unit) for index, unit in enumerate(units) if index >= half]
    spots = [
        (s.step + min(s.length, 2.0), u, n) for u, unit in later for n, s in enumerate(unit.strokes) if not s.close
    ]
    if not spots:
        return units
    _, unit, note = max(spots)
    peak = max(s.step for motif in units for s in motif.strokes) + 1
    strokes = list(units[unit].strokes)
    # A note that would have to rise by more than three steps would tear the line, so it stays.
    if peak - strokes[note].step <= 3:
        strokes[note] = replace(strokes[note], step=peak)
    return (*units[:unit], replace(units[unit], strokes=tuple(strokes)), *units[unit + 1 :])


def _with_pickups(
    units: tuple[Motif, ...], pickup: tuple[tuple[float, int], ...], shortest: float
) -> tuple[Motif, ...]:
    """Add an upbeat in the breath after each close but the last."""
    led = list(units)
    for index, (unit, following) in enumerate(itertools.pairwise(units)):
        room = pickup and unit.strokes and unit.strokes[-1].close and following.strokes
        # No upbeat where the next unit starts after the bar line, or where eighths are too fast.
        if not room or following.strokes[0].start > 1e-6 or shortest > 0.5:
            continue
        last, goal = unit.strokes[-1], following.strokes[0].step
        begin = unit.beats - pickup[0][0]
        if begin - 0.5 < last.start + 0.5:
            continue
        ends = [*(unit.beats - before for before, _ in pickup[1:]), unit.beats]
        upbeat = [Stroke(unit.beats - before, end - unit.beats + before, goal + step)
                  for (before, step), end in zip(pickup, ends, strict=True)]  # fmt: skip
        held = replace(last, length=min(last.length, begin - 0.5 - last.start))
        led[index] = replace(unit, strokes=(*unit.strokes[:-1], held, *upbeat))
    return tuple(led)


def silent(beats: float) -> Motif:
    """Return a unit without notes."""
    return Motif((), beats)


def strokes_of(units: tuple[Motif, ...]) -> tuple[Stroke, ...]:
    """Return the strokes of units laid end to end."""
    laid: list[Stroke] = []
    start = 0.0
    for unit in units:
        laid += [replace(stroke, start=stroke.start + start) for stroke in unit.strokes]
        start += unit.beats
    return tuple(laid)
