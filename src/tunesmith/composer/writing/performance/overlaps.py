"""Overlaps: no pitch of a part sounds twice at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.score import Note
from tunesmith.composer.theory import TICKS_PER_BEAT, on_grid


def without_overlaps(notes: Sequence[Note], *, mono: bool = False) -> tuple[Note, ...]:
    """Return the notes sorted, each cut where its pitch (or, where ``mono``, any note) begins again."""
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch))
    following: dict[int, float] = {}
    line: list[Note] = []
    # Backwards, so that the start of the next note of a pitch is always known.
    for note in reversed(ordered):
        voice = 0 if mono else note.pitch
        room = following.get(voice, note.end) - note.start
        length = on_grid(min(note.length, max(room, 1 / TICKS_PER_BEAT)))
        # Most notes are as long as they were.
        line.append(note if length == note.length else replace(note, length=length))
        following[voice] = note.start
    return tuple(reversed(line))
