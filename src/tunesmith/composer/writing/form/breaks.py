"""Breaks and rests: bass and drums stop at the ends of some phrases, and players rest where the cast lacks them.

In some breaks everyone but the soloists stops. The chord that is struck last rings on, because a lead often rests at
the end of a phrase, and music under a film must not be silent.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.form.arrangement import blocks_of
from tunesmith.composer.writing.form.drafts import CLOSINGS, OPENINGS
from tunesmith.composer.writing.plan import Break, Plan, Player

RHYTHM = frozenset({"drums", "percussion", "bass"})
SOLOISTS = frozenset({"melody", "counter"})
RINGING = frozenset({"chords", "pad"})
# How often each phrase of a section ends with a break, and how much more often the last one does where a fuller
# section follows and where none does.
AT_EVERY_PHRASE, BEFORE_RISE, AT_END = 0.35, 0.6, 0.3
UNBROKEN = OPENINGS | CLOSINGS | {"build"}
BREAK_FROM = 0.3
# How often a break at the end of a section lasts all of the bar but its first beat; how often everyone but the lead
# rests, and from which section energy.
WHOLE_BAR, EVERYONE, EVERYONE_FROM = 0.25, 0.3, 0.55


def with_breaks(plan: Plan) -> Plan:
    """Return the plan with breaks at the ends of some phrases, which let the next first beat land.

    A piece of a few bars has none, nor has a bed, in which nothing may draw attention.
    """
    # Drones and free textures have no beat that could stop.
    free = plan.genre.family == "ambient" or plan.genre.harmony.style == "drone"
    if free or plan.brief.form == "bed" or not plan.casts:
        return plan
    return replace(plan, breaks=tuple(_breaks(plan)))


def _breaks(plan: Plan) -> Iterator[Break]:
    blocks = list(blocks_of(plan.sections))
    for block, following in itertools.pairwise(blocks):
        section = block.section
        if section.name in UNBROKEN or section.energy < BREAK_FROM:
            continue
        # Keyed by the section's name: phrases that repeat also stop at the same place.
        random = plan.brief.rng("form", "breaks", section.name)
        chance, whole, everyone = random.random(), chance_of(random, WHOLE_BAR), chance_of(random, EVERYONE)
        at_end = BEFORE_RISE if following.section.energy > section.energy else AT_END
        if chance >= AT_EVERY_PHRASE + (at_end if block.last else 0.0):
            continue
        everyone = everyone and section.energy >= EVERYONE_FROM
        resting = [p.name for p in plan.players if (p.role not in SOLOISTS if everyone else p.role in RHYTHM)]
        end = (block.bar + block.bars) * plan.beats_per_bar
        yield Break(end - _break_beats(plan, whole=whole and block.last), end, frozenset(resting))


def _break_beats(plan: Plan, *, whole: bool) -> float:
    """Return the length of a break: the later half of the bar, or all of it but the first felt beat."""
    pulse = plan.meter.felt_beat
    pulses = max(1, round(plan.beats_per_bar / pulse))
    return min(max(1, pulses - 1 if whole else (pulses + 1) // 2) * pulse, plan.beats_per_bar)


def without_rests(plan: Plan, player: Player, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Leave out the notes in the player's rests, and end before a rest those that would sound into it.

    In a break, a chord rings on: the one struck on its first beat, or else the one before.
    """
    rests = _rests(plan, player)
    if not rests or player.role == "effects":
        return tuple(notes)
    kept: list[Note] = []
    index = 0
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        while index < len(rests) and rests[index][1] <= note.start + 1e-6:
            index += 1
        start = rests[index][0] if index < len(rests) else float("inf")
        if note.start < start - 1e-6:
            kept.append(replace(note, length=on_grid(start - note.start)) if note.end > start + 1e-6 else note)
    return _with_ringing(plan, player, notes, kept) if player.role in RINGING else tuple(kept)


def _with_ringing(plan: Plan, player: Player, notes: Sequence[Note], kept: list[Note]) -> tuple[Note, ...]:
    """Return the notes ``kept`` of a player's ``notes``, by start, with the chords that ring through the breaks."""
    every = sorted(notes, key=lambda note: note.start)
    starts, kept_starts = [note.start for note in every], [note.start for note in kept]
    rung: list[Note] = []
    for gap in plan.breaks:
        if player.name not in gap.players or not plan.is_playing(player, int(gap.start / plan.beats_per_bar)):
            continue
        # The chord on the first beat of the break is the one that the lead goes on over.
        struck = every[bisect.bisect_left(starts, gap.start - 1e-6) : bisect.bisect_right(starts, gap.start + 1e-6)]
        rung += [replace(note, length=on_grid(gap.end - note.start)) for note in struck]
        if struck:
            continue
        # What was struck before the bar of the break has mostly died away.
        first = bisect.bisect_left(kept_starts, gap.start - plan.beats_per_bar - 1e-6)
        end = bisect.bisect_left(kept_starts, gap.start)
        for index in range(first, end):
            if kept_starts[index] > kept_starts[end - 1] - 1e-6:
                kept[index] = replace(kept[index], length=on_grid(gap.end - kept_starts[index]))
    return tuple(sorted([*kept, *rung], key=lambda note: (note.start, note.pitch)))


def _rests(plan: Plan, player: Player) -> list[tuple[float, float]]:
    """Return the player's rests as (start, end) in beats, in order, without overlaps."""
    beats = plan.beats_per_bar
    spans = [
        (cast.bar * beats, (cast.bar + cast.bars) * beats) for cast in plan.casts if player.name not in cast.players
    ]
    spans += [(gap.start, gap.end) for gap in plan.breaks if player.name in gap.players]
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 1e-6:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
