"""Themes by section: A always has the same tune, B contrasts, the outro recalls A."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tunesmith.composer.score import Section
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.melody.motif import EPSILON, Motif, MotifTaste, fragmented, inverted, sequenced, thinned
from tunesmith.composer.writing.melody.phrases import Draws, PhraseTaste, Theme, develop, draw_theme, silent

TREATMENTS: Mapping[str, tuple[str, str]] = {
    "intro": ("A", "hint"),
    "A": ("A", "state"),
    "B": ("B", "state"),
    "bridge": ("bridge", "state"),
    "build": ("A", "build"),
    "drop": ("drop", "state"),
    "break": ("A", "thin"),
    "outro": ("A", "recall"),
    "ending": ("A", "recall"),
}
"""Section name → (theme, treatment); sections with other names state a theme of their own."""

# Notes per beat below which a contrast is never sparser still.
SPARSE = 0.8
# Statements before a theme is varied.
FAITHFUL_TURNS = 2


@dataclass(frozen=True, slots=True)
class ThemeBook:
    """The themes of one piece, each drawn from the seed and its own name, so that they are independent."""

    seed: int
    meter: Meter
    taste: MotifTaste
    phrasing: PhraseTaste

    def theme(self, name: str) -> Theme:
        """Return the theme of that name, always the same one."""
        return _drawn(self, name)

    def contrasting(self, random: np.random.Generator, name: str) -> MotifTaste:
        """Return the taste of a theme that contrasts with A: busier or calmer, and wider."""
        rhythm = self.taste.rhythm
        busier = name == "drop" or rhythm.density < SPARSE or random.random() < 0.4
        density = min(rhythm.density * (1.3 if busier else 0.65), 0.9 / rhythm.shortest)
        return replace(self.taste, rhythm=replace(rhythm, density=density), span=self.taste.span + 1)


# Cached: a section that returns must state the very same theme, and drawing one is slow.
@lru_cache(maxsize=16)
def _drawn(book: ThemeBook, name: str) -> Theme:
    draws = Draws(book.seed, name)
    if name == "A":
        return draw_theme(draws, book.meter, book.taste, book.phrasing)
    if name == "bridge":
        return develop(draws, book.theme("A"), book.meter, book.phrasing)
    kin = book.theme("A").motif
    return draw_theme(draws, book.meter, book.contrasting(draws("contrast"), name), book.phrasing, kin)


def theme_name(section: str) -> str:
    """Return the name of the theme that a section of that name states or recalls."""
    return TREATMENTS.get(section, (section, "state"))[0]


def section_units(book: ThemeBook, section: Section, visit: int) -> tuple[Motif, ...]:
    """Return the units that the lead states in ``section``, its ``visit``-th of that name (from 0)."""
    name, treatment = TREATMENTS.get(section.name, (section.name, "state"))
    theme = book.theme(name)
    # In beats, because a theme's unit may be longer or shorter than a section's bars.
    length = section.bars * book.meter.beats_per_bar
    count = max(1, math.ceil(length / theme.unit_beats - 1e-6))
    if treatment == "state":
        return _by_energy(_stated(theme, length, book.meter.beats_per_bar, visit), section.energy, visit)
    units = _fitted(theme, count, visit)
    if treatment == "build":
        return tuple(sequenced(fragmented(theme.motif, 0), index) for index in range(count))
    if treatment == "thin":
        return tuple(_headed(unit) if index % 2 == 0 else silent(unit.beats) for index, unit in enumerate(units))
    return _recalled(theme, units, hint=treatment == "hint")


def _headed(unit: Motif) -> Motif:
    """Return the first half of a unit, and a rest."""
    half = unit.beats / 2
    return replace(
        unit, strokes=tuple(replace(s, length=min(s.length, half - s.start)) for s in unit.strokes if s.start < half)
    )


def _fitted(theme: Theme, count: int, visit: int) -> tuple[Motif, ...]:
    """Return the theme as often as it fits; a shorter stretch has its beginning and its end."""
    whole = len(theme.units)
    rounds, rest = divmod(count, whole)
    stated = [unit for turn in range(rounds) for unit in _turned(theme.units, visit * max(rounds, 1) + turn)]
    # Half a theme is its first phrase, as in a longer section; another stretch ends with the close.
    tail = theme.units[:rest] if rest * 2 == whole else (*theme.units[: rest - 1], theme.units[-1]) if rest else ()
    return (*stated, *tail)


def _turned(units: tuple[Motif, ...], turn: int) -> tuple[Motif, ...]:
    """State the theme as it is twice, then change one unit within it, but neither the first nor a close."""
    # Opening and close are what listeners recognise a theme by.
    inner = [index for index, unit in enumerate(units) if index > 0 and not any(s.close for s in unit.strokes)]
    if turn < FAITHFUL_TURNS or turn % 2 == 1 or not inner:
        return units
    place = inner[(turn // 2) % len(inner)]
    change = (inverted(units[place]), sequenced(units[place], 1), fragmented(units[place]))[(turn // 2) % 3]
    return (*units[:place], change, *units[place + 1 :])


def _stated(theme: Theme, length: float, bar: float, visit: int) -> tuple[Motif, ...]:
    """Return units of ``length`` beats: whole themes, and of the last one the beginning."""
    whole = sum(unit.beats for unit in theme.units)
    rounds = int(length / whole + EPSILON)
    stated = [unit for turn in range(rounds) for unit in _turned(theme.units, visit * max(rounds, 1) + turn)]
    return (*stated, *_beginning(theme, length - rounds * whole, bar))


def _beginning(theme: Theme, length: float, bar: float) -> tuple[Motif, ...]:
    """Return the first ``length`` beats of a theme, as in a longer section up to the last bar: that one closes."""
    count = math.ceil(length / theme.unit_beats - EPSILON)
    over = count * theme.unit_beats - length
    # The first phrase has a close of its own.
    if not count or (2 * count == len(theme.units) and over < EPSILON):
        return theme.units[:count]
    *before, last = theme.units[:count]
    return (*before, _closed(last, last.beats - over, theme.units[-1], bar))


def _closed(unit: Motif, length: float, close: Motif, bar: float) -> Motif:
    """Return the first ``length`` beats of a unit, the last bar being that of ``close``."""
    until, moved = length - bar, length - close.beats
    kept = [replace(s, length=min(s.length, until - s.start)) for s in unit.strokes if s.start < until - EPSILON]
    closing = [replace(s, start=s.start + moved) for s in close.strokes if s.start >= close.beats - bar - EPSILON]
    return Motif((*kept, *closing), length)


def _by_energy(units: tuple[Motif, ...], energy: float, visit: int) -> tuple[Motif, ...]:
    if energy < 0.35 and visit == 0:
        return tuple(thinned(unit, 0.5) for unit in units)
    return units


def _recalled(theme: Theme, units: tuple[Motif, ...], *, hint: bool) -> tuple[Motif, ...]:
    """Return the hook after a silence (a hint), or the hook and echoes of it between silences."""
    head = thinned(theme.motif, 0.5)
    if len(units) == 1:
        return (units[-1],)
    if hint:
        # The hook itself in the last bars, as a promise of what follows.
        return (*(silent(theme.unit_beats) for _ in units[1:]), theme.units[0])
    answer = [head if index % 2 == 0 else silent(head.beats) for index in range(len(units))]
    answer[0] = theme.units[0]
    answer[-1] = thinned(theme.units[-1], 0.75)
    return tuple(answer)
