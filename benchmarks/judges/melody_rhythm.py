"""Whether the melody of a score has a rhythm to remember: norms from folk songs, fiddle tunes and chorales."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from tunesmith.composer.score import Score

STEPS_PER_BEAT = 4
"""Onsets count to the nearest sixteenth: timing and swing are the player's, not the melody's."""
PERIOD = 4  # bars
FEWEST_ONSETS = 16


@dataclass(frozen=True, slots=True)
class MelodyRhythm:
    """How regular a melody is.

    ``rhythm_entropy`` in bits of the times between onsets, ``commonest_share`` the share of the commonest of them,
    ``bar_repeats`` how often a bar has the rhythm of the bar before, ``recurrence_4_bars`` how many notes (place in the
    bar and pitch) of a bar are also in that four bars later, as the mean Jaccard index.
    """

    rhythm_entropy: float
    commonest_share: float
    bar_repeats: float
    recurrence_4_bars: float


Bar = frozenset[tuple[int, int]]
"""The notes of a bar: step in the bar and pitch."""


def melody_rhythm(score: Score) -> MelodyRhythm | None:
    """Measure the melody parts of a score; None where they have fewer than FEWEST_ONSETS onsets."""
    steps_per_bar = round(score.meter.beats_per_bar * STEPS_PER_BEAT)
    tops: dict[int, int] = {}
    for part in score.parts:
        for note in part.notes if part.role == "melody" else ():
            step = round(note.start * STEPS_PER_BEAT)
            tops[step] = max(note.pitch, tops.get(step, 0))
    if len(tops) < FEWEST_ONSETS:
        return None
    bars = [set[tuple[int, int]]() for _ in range(max(tops) // steps_per_bar + 1)]
    for step, pitch in tops.items():
        bars[step // steps_per_bar].add((step % steps_per_bar, pitch))
    intervals = between_onsets(sorted(tops), steps_per_bar)
    shares = np.array(list(Counter(intervals).values())) / len(intervals)
    frozen = [frozenset(bar) for bar in bars]
    return MelodyRhythm(
        rhythm_entropy=float(-(shares * np.log2(shares)).sum()),
        commonest_share=float(shares.max()),
        bar_repeats=bar_repeats(frozen),
        recurrence_4_bars=recurrence(frozen),
    )


def between_onsets(steps: Sequence[int], longest: int) -> list[int]:
    """Return the steps from each onset to the next; more than a bar is a rest and no rhythm."""
    found = [int(gap) for gap in np.diff(steps) if gap <= longest]
    return found or [longest]


def bar_repeats(bars: Sequence[Bar]) -> float:
    """Return how often a bar with notes has the onsets of the bar with notes before it."""
    rhythms = [frozenset(step for step, _ in bar) for bar in bars]
    pairs = [(one, other) for one, other in itertools.pairwise(rhythms) if one and other]
    return mean(one == other for one, other in pairs) if pairs else 0.0


def recurrence(bars: Sequence[Bar]) -> float:
    """Return the mean Jaccard index of bars with notes four bars apart."""
    pairs = [(one, other) for one, other in zip(bars, bars[PERIOD:], strict=False) if one and other]
    return mean(len(one & other) / len(one | other) for one, other in pairs) if pairs else 0.0
