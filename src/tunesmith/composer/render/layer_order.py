"""The order in which the parts of a piece join as its intensity rises, and the steps at which they do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tunesmith.composer.score import Part, Score

FOUNDATION = ("pad", "drone", "chords", "arpeggio", "bass", "percussion", "drums", "melody", "counter", "effects")
"""Roles in the order in which parts of the same entry join: what carries the piece first."""

CARRIED = 0.75
"""The share of the bars in which the first parts must sound, so that the calmest layer has no holes."""

HEARD = 0.2
"""The share of the bars that a part must sound in to be a step of its own; one of fewer joins with the step before."""

MARGIN = 0.002


def joining_steps(score: Score) -> tuple[tuple[Part, ...], ...]:
    """Return the parts in the order in which they join: the first parts, then a step for each part that is heard.

    There is at least one step unless the score has no part.
    """
    steps: list[list[Part]] = []
    covered: set[int] = set()
    ordered = sorted(score.parts, key=lambda part: (part.entry, FOUNDATION.index(part.role)))
    for number, part in enumerate(ordered):
        bars = _sounding_bars(score, part)
        heard = part.role != "effects" and len(bars) >= HEARD * score.bars
        # The last part that is heard is a step of its own, or a piece of two parts would have one layer.
        rest_heard = any(one.role != "effects" for one in ordered[number + 1 :])
        if not steps or not heard or (len(covered) < CARRIED * score.bars and len(steps) == 1 and rest_heard):
            steps = steps or [[]]
            steps[-1].append(part)
        else:
            steps.append([part])
        covered |= bars
    return tuple(tuple(step) for step in steps)


def step_at(intensity: float, count: int) -> int:
    """Return which of ``count`` steps, from 0, is the last that has joined at ``intensity`` 0–1."""
    return int(intensity * (count - 1) + 0.5)


def intensity_at(step: int, wanted: float, count: int) -> float:
    """Return the intensity nearest to ``wanted`` at which ``step`` of ``count`` is the last that has joined."""
    if count < 2:
        return wanted
    # A little inside the ends, because rounding must not reach the next step.
    low, high = (step - 0.5) / (count - 1) + MARGIN, (step + 0.5) / (count - 1) - MARGIN
    return round(min(1.0, high, max(0.0, low, wanted)), 3)


def different_steps(wanted: Sequence[float], count: int) -> dict[float, int]:
    """Return a different step for each intensity, the nearest there is; leave out those for which there is none.

    ``wanted`` ascends. Where ``count`` steps are fewer, the lowest and the highest intensities stay.
    """
    kept = list(wanted) if len(wanted) <= count else _spread(wanted, count)
    steps = [step_at(intensity, count) for intensity in kept]
    # Down from the top, then up from the bottom, so that each has a step of its own.
    for at in range(len(steps) - 2, -1, -1):
        steps[at] = min(steps[at], steps[at + 1] - 1)
    for at in range(len(steps)):
        steps[at] = max(steps[at], at)
    assert all(lower < upper for lower, upper in pairwise(steps))
    return dict(zip(kept, steps, strict=True))


def _spread(wanted: Sequence[float], count: int) -> list[float]:
    if count < 2:
        return [wanted[-1]]
    return [wanted[round(at * (len(wanted) - 1) / (count - 1))] for at in range(count)]


def _sounding_bars(score: Score, part: Part) -> set[int]:
    """Return the bars in which the part sounds, with those through which a note is held."""
    length = score.meter.beats_per_bar
    bars: set[int] = set()
    for note in part.notes:
        # A note that ends on a bar line does not sound in the next bar.
        bars.update(range(int(note.start / length), int((note.end - 1e-6) / length) + 1))
    return {bar for bar in bars if bar < score.bars}
