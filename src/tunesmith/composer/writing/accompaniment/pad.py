"""Pads: held chords that change as little as possible."""

from __future__ import annotations

import numpy as np

from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.chords import Voicer, write_chords
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.plan import Plan, Player

# Bars that one chord is held before it is struck again.
LONGEST = 4


def write_pad(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Hold each chord until it changes; a player with a rhythm or a style plays that instead."""
    if player.rhythm or player.style not in ("", "block"):
        return write_chords(plan, player, random)
    voicer = Voicer(plan, player)
    notes: list[Note] = []
    for section in plan.active_sections(player):
        start = section.bar * plan.beats_per_bar
        velocity = round(58 + 26 * section.energy)
        for span in _merged(plan, start, start + section.bars * plan.beats_per_bar):
            notes += [Note(span.start, span.length, pitch, velocity) for pitch in voicer(span.chord)]
    return ended(plan, player, notes, voicer(plan.chords[-1].chord))


def _merged(plan: Plan, start: float, end: float) -> list[ChordSpan]:
    spans: list[ChordSpan] = []
    for span in plan.spans_between(start, end):
        last = spans[-1] if spans else None
        if last and last.chord == span.chord and last.length < LONGEST * plan.beats_per_bar - 1e-6:
            spans[-1] = ChordSpan(last.start, on_grid(last.length + span.length), last.chord)
        else:
            spans.append(span)
    return spans
