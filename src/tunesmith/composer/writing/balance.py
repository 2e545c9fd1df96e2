"""The balance of a score: levels of parts by request, and of stretches by how hard their notes are played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.balance import LevelChange
from tunesmith.composer.brief import Brief
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Part, Score

DECIBELS_A_DECADE = 40.0
"""A gain in dB is this times the logarithm of the velocity: gain is the square of velocity (SoundFont 2.01)."""
LOUDEST = 127


def balanced(score: Score, brief: Brief) -> Score:
    """Return the score with the balance of the brief; no pitch, start or length changes.

    A level of the whole piece moves the part's gain. A level of a stretch is played: its notes are struck harder or
    softer, from the nearest bar on. Half of the difference goes to the notes outside, so that none is clipped early.
    """
    if not brief.balance:
        return score
    everywhere = [(covered, level) for covered, level in brief.balance if level.is_everywhere]
    ambience = tuple(
        replace(one, gain_db=one.gain_db + sum(level.gain_db for covered, level in everywhere if one.name in covered))
        for one in score.ambience
    )
    parts = tuple(_balanced(score, part, brief) for part in score.parts)
    return replace(score, parts=parts, ambience=ambience)


def levels_of(brief: Brief, role: str, name: str) -> tuple[LevelChange, ...]:
    """Return the levels of a brief that hold for a player by role, instrument ``name`` or family."""
    reach = {role, name, instrument(name).family}
    return tuple(level for covered, level in brief.balance if not covered or covered & reach)


def gain_of(levels: Sequence[LevelChange]) -> float:
    """Return the gain in dB of the levels that hold for the whole piece."""
    return sum(level.gain_db for level in levels if level.is_everywhere)


def struck(notes: Sequence[Note], levels: Sequence[LevelChange], bars: int, beats_per_bar: float) -> tuple[Note, ...]:
    """Return the notes of a piece of so many bars, struck harder or softer by the levels that hold for a stretch."""
    played = tuple(notes)
    for level in levels:
        if not level.is_everywhere:
            played = _played(played, level, bars, beats_per_bar)
    return played


def _balanced(score: Score, part: Part, brief: Brief) -> Part:
    levels = levels_of(brief, part.role, part.instrument)
    notes = struck(part.notes, levels, score.bars, score.meter.beats_per_bar)
    return replace(part, gain_db=round(part.gain_db + gain_of(levels), 2), notes=notes)


def _played(notes: Sequence[Note], level: LevelChange, bars: int, beats_per_bar: float) -> tuple[Note, ...]:
    start, end = (round(bars * share / 100) * beats_per_bar for share in (level.start, level.end))
    inside, outside = (10 ** (sign * level.gain_db / 2 / DECIBELS_A_DECADE) for sign in (1, -1))
    return tuple(
        replace(
            note,
            velocity=max(1, min(LOUDEST, round(note.velocity * (inside if start <= note.start < end else outside)))),
        )
        for note in notes
    )
