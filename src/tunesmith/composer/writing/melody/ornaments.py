"""Ornaments: grace notes, turns, trills, slides and chromatic approaches, by genre and instrument.

Ornaments take their time from the note that they decorate or from the one before, so that the line never overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.rng import chance_of, weighted_choice
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.harmony.scales import Ladder, ladder
from tunesmith.composer.writing.melody.idioms import Idiom
from tunesmith.composer.writing.melody.pitch_assignment import Range
from tunesmith.composer.writing.plan import Plan

GRACE_SECONDS = 0.07
# How much of what genre and idiom ask for is played: a hook that is decorated everywhere is no longer heard as one.
PLAYED_SHARE = 0.35
# In graces of an idiom.
TRILLS_FROM = 0.6


@dataclass(frozen=True, slots=True)
class _OrnamentContext:
    plan: Plan
    rungs: Ladder
    compass: Range
    idiom: Idiom
    # In beats.
    grace: float


def ornamented(
    plan: Plan, notes: Sequence[Note], idiom: Idiom, compass: Range, random: np.random.Generator
) -> list[Note]:
    """Return the line with ornaments; the decorated notes keep their pitch and place."""
    amount = PLAYED_SHARE * plan.genre.melody.ornament
    # A movement of the hand, not a note value; at the genre's tempo, so that another one keeps the beats.
    grace = max(0.06, min(0.25, on_grid(GRACE_SECONDS * plan.usual_quarters_per_minute / 60)))
    tools = _OrnamentContext(plan, ladder(compass.scale), compass, idiom, on_grid(grace))
    line: list[Note] = []
    for index, note in enumerate(notes):
        before = line[-1] if line else None
        after = notes[index + 1] if index + 1 < len(notes) else None
        if chance_of(random, amount * idiom.slides):
            note = replace(note, glide=_slide(before, note))
        if _jazzes(plan) and chance_of(random, 0.6 * amount) and _approach(line, note, random):
            line.append(note)
        elif chance_of(random, amount * idiom.graces) and note.length >= 0.5:
            line += _decorated(tools, note, after, random)
        else:
            line.append(note)
    return line


def _slide(before: Note | None, note: Note) -> int:
    """Return the interval of a slide: from the note before where that is near, else from a tone below."""
    if before is not None and before.end >= note.start - 0.05 and 0 < abs(before.pitch - note.pitch) <= 4:
        return before.pitch - note.pitch
    return -1 if note.length < 1 else -2


def _jazzes(plan: Plan) -> bool:
    feel = plan.genre.feel
    return feel.swing >= 0.58 and feel.swing_unit == 8 and plan.genre.harmony.color >= 0.4


def _approach(line: list[Note], note: Note, random: np.random.Generator) -> bool:
    """Lead into ``note`` by a semitone on the half beat before it, taken from the note before."""
    if not line or note.start % 1 > 1e-6 or line[-1].length < 1.0 or line[-1].end < note.start - 0.6:
        return False
    start = note.start - 0.5
    if start - line[-1].start < 0.45:
        return False
    line[-1] = replace(line[-1], length=min(line[-1].length, start - line[-1].start))
    line.append(Note(start, 0.5, note.pitch + weighted_choice(random, (-1, -1, 1)), max(1, note.velocity - 12)))
    return True


def _decorated(tools: _OrnamentContext, note: Note, after: Note | None, random: np.random.Generator) -> list[Note]:
    turns = note.length >= 1.0 and after is not None and chance_of(random, 0.4)
    upper = _rung(tools, note.pitch, 1)
    # A step wider than a major third is a gap in a pentatonic scale, no neighbour tone.
    if upper is None or upper - note.pitch > 4:
        return [note]
    if turns:
        return _turn(tools, note, upper)
    if note.length >= 2.0 and tools.idiom.graces >= TRILLS_FROM and chance_of(random, 0.25):
        return _trill(tools, note, upper)
    return _grace(tools, note, weighted_choice(random, (upper, upper, _rung(tools, note.pitch, -1) or upper)))


def _rung(tools: _OrnamentContext, pitch: int, steps: int) -> int | None:
    found = tools.rungs.climb(tools.rungs.nearest(pitch), steps)
    return found if tools.compass.low <= found <= tools.compass.high else None


def _grace(tools: _OrnamentContext, note: Note, neighbour: int) -> list[Note]:
    rest = replace(note, start=on_grid(note.start + tools.grace), length=on_grid(note.length - tools.grace))
    return [Note(note.start, tools.grace, neighbour, max(1, note.velocity - 10)), rest]


def _turn(tools: _OrnamentContext, note: Note, upper: int) -> list[Note]:
    lower = _rung(tools, note.pitch, -1) or note.pitch
    size = min(tools.grace * 1.5, note.length / 6)
    at = note.end - 3 * size
    tail = [Note(on_grid(at + size * i), on_grid(size), p, max(1, note.velocity - 8))
            for i, p in enumerate((upper, note.pitch, lower))]  # fmt: skip
    return [replace(note, length=on_grid(at - note.start)), *tail]


def _trill(tools: _OrnamentContext, note: Note, upper: int) -> list[Note]:
    # An even number of notes, so that the trill starts on the upper note and ends on the main one.
    count = 2 * int(note.length / 2 / tools.grace / 2)
    start = on_grid(note.end - count * tools.grace)
    shake = [Note(on_grid(start + i * tools.grace), tools.grace, (upper, note.pitch)[i % 2], max(1, note.velocity - 8))
             for i in range(count)]  # fmt: skip
    return [replace(note, length=on_grid(start - note.start)), *shake]
