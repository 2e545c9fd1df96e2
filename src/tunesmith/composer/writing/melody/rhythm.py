"""Rhythmic cells: the divisions of a group of beats, and which of them suit a genre.

A bar is a row of groups (4/4: 2 + 2, 3/4: 3, 6/8: 1.5 + 1.5, 7/8: 1 + 1 + 1.5 …); a cell fills one group with lengths
in beats, where a negative length is a rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from tunesmith.composer.rng import weighted_choice
from tunesmith.composer.theory import Meter

Cell = tuple[float, ...]

CELLS: Mapping[float, tuple[Cell, ...]] = {
    1.0: (
        (1.0,), (0.5, 0.5), (0.75, 0.25), (0.25, 0.75), (0.5, 0.25, 0.25), (0.25, 0.25, 0.5), (0.25, 0.5, 0.25),
        (0.25,) * 4, (-0.5, 0.5),
    ),
    1.5: (
        (1.5,), (1.0, 0.5), (0.5, 0.5, 0.5), (0.75, 0.25, 0.5), (0.5, 1.0), (-0.5, 0.5, 0.5), (0.5, 0.25, 0.25, 0.5),
        (0.5, 0.5, 0.25, 0.25), (0.25, 0.25, 0.5, 0.5), (-1.0, 0.5), (0.25,) * 6,
    ),
    2.0: (
        (2.0,), (1.0, 1.0), (1.5, 0.5), (0.5, 1.5), (0.5, 0.5, 1.0), (1.0, 0.5, 0.5), (0.5, 1.0, 0.5),
        (0.75, 0.25, 1.0), (1.0, 0.75, 0.25), (0.75, 0.75, 0.5), (0.5,) * 4, (-0.5, 0.5, 1.0), (-0.5, 0.5, 0.5, 0.5),
        (-1.0, 1.0), (-1.0, 0.5, 0.5), (0.25, 0.25, 0.5, 1.0), (1.0, 0.25, 0.25, 0.5), (0.5, 0.25, 0.25, 0.5, 0.5),
        (0.25, 0.25, 0.25, 0.25, 0.5, 0.5), (0.25,) * 8, (0.5, 0.25, 0.25, 0.5, 0.25, 0.25), (1.5, 0.25, 0.25),
        (0.25, 0.5, 0.25, 0.5, 0.5), (-0.5, 0.25, 0.25, 0.5, 0.5), (0.75, 0.25, 0.5, 0.5), (0.75, 0.75, 0.25, 0.25),
        (0.75, 0.25, 0.75, 0.25), (-0.5, 1.5),
    ),
    3.0: (
        (3.0,), (2.0, 1.0), (1.0, 2.0), (1.0, 1.0, 1.0), (1.5, 0.5, 1.0), (1.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0, 1.0),
        (1.0, 1.0, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5, 1.0), (0.5,) * 6, (-1.0, 1.0, 1.0), (-1.0, 2.0), (2.0, 0.5, 0.5),
        (1.5, 0.5, 0.5, 0.5), (-1.0, 0.5, 0.5, 1.0), (0.75, 0.25, 1.0, 1.0), (1.0, 0.5, 0.5, 0.5, 0.5),
        (0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5), (1.5, 1.5),
    ),
    4.0: (
        (4.0,), (3.0, 1.0), (2.0, 2.0), (-1.0, 3.0), (2.0, 1.0, 1.0), (-2.0, 2.0), (1.0, 3.0), (2.5, 1.5),
        (1.5, 2.5), (-1.0, 1.0, 2.0), (1.5, 0.5, 2.0), (-0.5, 0.5, 3.0),
    ),
}  # fmt: skip
# A motif of too few notes is forgotten sooner than one of too many.
TOO_FEW = 0.7
# Notes per beat below which a 4/4 bar is one group.
SPARSE_DENSITY = 0.5


@dataclass(frozen=True, slots=True)
class RhythmTaste:
    """The rhythm that a line prefers.

    ``density`` is in notes per beat, ``syncopation`` is 0–1, ``shortest`` is the shortest note in beats.
    """

    density: float
    syncopation: float
    shortest: float = 0.25


@cache
def groups_of(meter: Meter, density: float = 1.0) -> tuple[float, ...]:
    """Return the groups of one bar in beats: 4/4 -> (2, 2), 5/4 -> (3, 2), 7/8 -> (1, 1, 1.5)."""
    if meter.is_compound:
        return (meter.felt_beat,) * (meter.numerator // 3)
    if meter.denominator <= 4:
        unit = 4 / meter.denominator
        # A sparse line needs notes longer than half a bar, which a group of two beats cannot hold.
        if meter.numerator == 4 and unit == 1:
            return (4.0,) if density < SPARSE_DENSITY else (2.0, 2.0)
        return tuple(size * unit for size in _twos_and_threes(meter.numerator, threes_first=True))
    eighths = round(meter.beats_per_bar * 2)
    return tuple(size / 2 for size in _twos_and_threes(max(eighths, 2), threes_first=False))


def _twos_and_threes(count: int, *, threes_first: bool) -> tuple[int, ...]:
    if count == 1:
        return (1,)
    if count % 2 == 0:
        return (2,) * (count // 2)
    twos = (2,) * ((count - 3) // 2)
    return (3, *twos) if threes_first else (*twos, 3)


def cells_for(length: float) -> tuple[Cell, ...]:
    """Return the cells that fill ``length`` beats; a length without a table gets one note or two even ones."""
    return CELLS.get(length, ((length,), (length / 2, length / 2)))


# Cached: the same few cells are weighed for every motif.
@lru_cache(maxsize=1024)
def onsets(cell: Cell) -> tuple[tuple[float, float], ...]:
    """Return (offset, length) of each sounding note of the cell."""
    starts = [sum(abs(length) for length in cell[:index]) for index in range(len(cell))]
    return tuple((start, length) for start, length in zip(starts, cell, strict=True) if length > 0)


def draw_cell(random: np.random.Generator, length: float, taste: RhythmTaste, avoid: Cell | None = None) -> Cell:
    """Draw a cell for ``length`` beats that suits the taste, preferably not ``avoid``."""
    options = cells_for(length)
    weights = [_fitness(cell, length, taste) * (0.1 if cell == avoid else 1.0) for cell in options]
    return weighted_choice(random, options, weights)


def _fitness(cell: Cell, length: float, taste: RhythmTaste) -> float:
    notes = onsets(cell)
    over = len(notes) / length - taste.density
    spread = (0.25 + 0.25 * taste.density) * (1.0 if over > 0 else TOO_FEW)
    # A Gaussian around the wanted density; the constant keeps every cell possible.
    weight = float(np.exp(-((over / spread) ** 2))) + 1e-4
    # Penalised rather than excluded: a group may have no cell without a short note.
    if min(abs(value) for value in cell) < taste.shortest:
        weight *= 0.02
    if len(set(cell)) == 1 and len(notes) > 2 and cell[0] < 0.5:
        # An even row of short notes has no character of its own.
        weight *= 0.4
    off_beat = sum(size >= 0.5 and start % 1 != 0 and (start % 1) + size > 1 for start, size in notes)
    return weight * (0.1 + 1.5 * taste.syncopation if off_beat or cell[0] < 0 else 1.1 - 0.8 * taste.syncopation)
