"""Melodic contour: the curve of a whole phrase, and the small figures of its motion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tunesmith.composer.rng import weighted_choice

Contour = Callable[[float], float]

CONTOURS: Mapping[str, tuple[float, Contour]] = {
    "arch": (3.0, lambda t: math.sin(math.pi * t)),
    "late arch": (2.0, lambda t: math.sin(math.pi * t * t)),
    "rise": (1.2, lambda t: t),
    "fall": (1.5, lambda t: -t),
    "valley": (1.2, lambda t: -math.sin(math.pi * t)),
    "wave": (1.5, lambda t: math.sin(2 * math.pi * t)),
    "leap and fall": (2.0, lambda t: min(4 * t, 1.25 - t)),
}
"""Name → (weight, height 0–1 over time 0–1)."""

FIGURES: tuple[tuple[float, tuple[int, ...]], ...] = (
    (3.0, (1,)), (3.0, (-1,)), (0.5, (0,)), (1.2, (2,)), (1.2, (-2,)), (0.6, (3,)), (0.5, (-3,)), (0.5, (4,)),
    (0.2, (-4,)),
    (2.5, (1, 1)), (2.5, (-1, -1)), (1.0, (1, -1)), (0.9, (-1, 1)), (1.0, (2, -1)), (1.0, (-2, 1)), (0.8, (0, 1)),
    (0.8, (0, -1)), (0.9, (2, 2)), (0.8, (-2, -2)), (0.7, (3, -1)), (0.7, (4, -1)), (0.6, (1, -2)), (0.6, (-1, 2)),
    (0.5, (5, -1)), (0.5, (-3, 1)), (0.6, (1, 0)), (0.6, (-1, 0)), (0.4, (2, -2)),
    (2.0, (1, 1, 1)), (2.0, (-1, -1, -1)), (1.2, (1, 1, -1)), (1.2, (-1, -1, 1)), (1.0, (1, -1, -1)),
    (1.0, (2, -1, -1)),
    (0.9, (-2, 1, 1)), (0.9, (0, 1, 1)), (0.9, (0, -1, -1)), (0.7, (0, 0, 1)), (0.7, (0, 0, -1)), (0.9, (4, -1, -1)),
    (0.9, (3, -1, -1)), (0.7, (2, 2, -1)), (0.6, (-1, 2, -1)), (0.6, (1, -2, 1)), (0.8, (-1, 1, 1)), (0.5, (5, -1, -1)),
    (0.6, (2, 1, -1)), (0.6, (-2, -1, 1)),
)  # fmt: skip
"""(weight, scale steps): runs, neighbour tones, turns, broken chords, repeated notes, leaps that turn back."""


def draw_contour(random: np.random.Generator, span: int) -> Contour:
    """Draw the curve of a phrase that spans about ``span`` scale steps."""
    weight_of = [weight for weight, _ in CONTOURS.values()]
    curve = weighted_choice(random, tuple(CONTOURS.values()), weight_of)[1]
    return lambda t: span * curve(t)


def draw_figure(random: np.random.Generator, notes: int, goal: float, leap: float) -> tuple[int, ...]:
    """Draw ``notes - 1`` intervals that move about ``goal`` steps, with as many leaps as ``leap`` 0–1 says."""
    intervals: tuple[int, ...] = ()
    while len(intervals) < notes - 1:
        room = notes - 1 - len(intervals)
        left = (goal - sum(intervals)) * min(1.0, 3 / room)
        options = [(weight * _fit(figure, left, leap), figure) for weight, figure in FIGURES if len(figure) <= room]
        longest = min(3, room)
        # Longer figures first: a line of single intervals sounds aimless.
        weights = [weight * (4.0 if len(figure) == longest else 1.0) for weight, figure in options]
        intervals += weighted_choice(random, [figure for _, figure in options], weights)
    return intervals


def _fit(figure: tuple[int, ...], goal: float, leap: float) -> float:
    leaps = sum(abs(interval) >= 2 for interval in figure)
    wide = sum(abs(interval) >= 4 for interval in figure)
    # Leaps need a reason: each one lowers the odds, a wide one twice.
    return math.exp(-0.45 * abs(sum(figure) - goal)) * (0.15 + leap) ** leaps * (0.1 + leap) ** wide
