"""Recall: a bar of the lead that returns over the same chords has the very same pitches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tunesmith.composer.theory import Chord
from tunesmith.composer.writing.melody.pitch_assignment import PitchPreference, Range, assign_pitches, harmony_of
from tunesmith.composer.writing.plan import Plan

# Bars that are assigned at once: over a longer stretch, what follows would change what returns.
PHRASE_BARS = 4

BarKey = tuple[tuple[float, float, int, str, Chord], ...]


@dataclass
class BarMemory:
    """What the lead has sung so far: the pitches of each bar by its rhythm, contour and chords."""

    pitches: dict[BarKey, tuple[int, ...]] = field(default_factory=dict)


def remembered_pitches(
    plan: Plan, preferences: Sequence[PitchPreference], compass: Range, memory: BarMemory
) -> tuple[int, ...]:
    """Return one pitch per preference, phrase by phrase; a bar that the memory knows keeps its pitches."""
    line: list[int] = []
    before: PitchPreference | None = None
    # Phrases count from the start of their section, so that a longer intro changes none.
    first = plan.section_at(preferences[0].start).bar if preferences else 0
    for _, phrase in itertools.groupby(preferences, lambda p: (plan.bar_of(p.start) - first) // PHRASE_BARS):
        wanted = list(phrase)
        pinned = _pinned(plan, wanted, memory)
        # The last note of the phrase before is fixed too, so that the line does not leap into the next one.
        led = [*([before] if before else []), *pinned]
        pitches = assign_pitches(plan, led, compass)[len(led) - len(pinned) :]
        _remember(plan, wanted, pitches, memory)
        before = replace(wanted[-1], fixed=pitches[-1])
        line += pitches
    return tuple(line)


def _bars(plan: Plan, preferences: Sequence[PitchPreference]) -> list[list[PitchPreference]]:
    return [list(bar) for _, bar in itertools.groupby(preferences, lambda p: plan.bar_of(p.start))]


def _key(plan: Plan, bar: Sequence[PitchPreference]) -> BarKey:
    start = plan.bar_of(bar[0].start) * plan.beats_per_bar
    return tuple(
        (round(p.start - start, 3), p.length, p.pitch, p.close, harmony_of(plan, p.start, p.length)) for p in bar
    )


def _pinned(plan: Plan, preferences: Sequence[PitchPreference], memory: BarMemory) -> list[PitchPreference]:
    pinned: list[PitchPreference] = []
    for bar in _bars(plan, preferences):
        known = memory.pitches.get(_key(plan, bar))
        pinned += bar if known is None else [replace(p, fixed=q) for p, q in zip(bar, known, strict=True)]
    return pinned


def _remember(plan: Plan, preferences: Sequence[PitchPreference], pitches: Sequence[int], memory: BarMemory) -> None:
    index = 0
    for bar in _bars(plan, preferences):
        memory.pitches.setdefault(_key(plan, bar), tuple(pitches[index : index + len(bar)]))
        index += len(bar)
