"""The balance of a score: levels of the whole piece are gains; in a stretch, a player plays harder or softer.

The level of everybody in a stretch is the master's (mix/master/stretch_fader.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.balance import EVERYONE, LevelChange
from tunesmith.composer.brief import Brief
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note

DECIBELS_A_DECADE = 40.0
"""A gain in dB is this times the logarithm of the velocity: gain is the square of velocity (SoundFont 2.01)."""


def ambience_gain(brief: Brief, name: str) -> float:
    """Return the gain in dB of the brief's levels for a background sound, which has no level of a stretch."""
    return gain_of([level for covered, level in brief.balance if name in covered])


def levels_of(brief: Brief, role: str, name: str) -> tuple[LevelChange, ...]:
    """Return the levels of a brief that hold for a player by role, instrument ``name`` or family."""
    reach = {role, name, instrument(name).family}
    levels = (level for covered, level in brief.balance if not covered or covered & reach)
    return tuple(level for level in levels if level.is_everywhere or level.name != EVERYONE)


def stretches_of(brief: Brief) -> tuple[str, ...]:
    """Return the levels of everybody in a stretch, as mix settings have them: ``4@50-100``."""
    levels = (level for _, level in brief.balance if level.name == EVERYONE and not level.is_everywhere)
    return tuple(level.stretch for level in levels)


def gain_of(levels: Sequence[LevelChange]) -> float:
    """Return the gain in dB of the levels that hold for the whole piece."""
    return sum((level.gain_db for level in levels if level.is_everywhere), 0.0)


def struck(notes: Sequence[Note], levels: Sequence[LevelChange], bars: int, beats_per_bar: float) -> tuple[Note, ...]:
    """Return the notes of a piece of so many bars, struck harder or softer by the levels that hold for a stretch.

    A stretch begins and ends at the nearest bar. Half of the difference goes to the notes outside, so that none is
    clipped early. No pitch, start or length changes.
    """
    played = tuple(notes)
    for level in levels:
        if not level.is_everywhere:
            played = _played(played, level, bars, beats_per_bar)
    return played


def _played(notes: Sequence[Note], level: LevelChange, bars: int, beats_per_bar: float) -> tuple[Note, ...]:
    start, end = (round(bars * share / 100) * beats_per_bar for share in (level.start, level.end))
    inside, outside = (10 ** (sign * level.gain_db / 2 / DECIBELS_A_DECADE) for sign in (1, -1))
    return tuple(note.struck(inside if start <= note.start < end else outside) for note in notes)
