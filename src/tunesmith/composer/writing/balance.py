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
    parts = tuple(_balanced(score, part, brief.balance) for part in score.parts)
    return replace(score, parts=parts, ambience=ambience)


def _balanced(score: Score, part: Part, levels: Sequence[tuple[frozenset[str], LevelChange]]) -> Part:
    reach = {part.role, part.instrument, instrument(part.instrument).family}
    own = [level for covered, level in levels if not covered or covered & reach]
    gain = sum(level.gain_db for level in own if level.is_everywhere)
    notes = part.notes
    for level in own:
        if not level.is_everywhere:
            notes = _played(score, notes, level)
    return replace(part, gain_db=round(part.gain_db + gain, 2), notes=notes)


def _played(score: Score, notes: Sequence[Note], level: LevelChange) -> tuple[Note, ...]:
    bar = score.meter.beats_per_bar
    start, end = (round(score.bars * share / 100) * bar for share in (level.start, level.end))
    inside, outside = (10 ** (sign * level.gain_db / 2 / DECIBELS_A_DECADE) for sign in (1, -1))
    return tuple(
        replace(
            note,
            velocity=max(1, min(LOUDEST, round(note.velocity * (inside if start <= note.start < end else outside)))),
        )
        for note in notes
    )
