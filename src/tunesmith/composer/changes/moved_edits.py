"""Edits of a score in another key: their chords move as those of the composer do."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.transposition import in_mode
from tunesmith.score_edits import ChordEdit, ScoreEdit, parse_edits


def moved_edits(texts: Iterable[str], before: Key, after: Key) -> tuple[str, ...]:
    """Return edits for a piece in another key, each chord on the same degree. Raises ValueError for no chord."""
    return tuple(str(_moved(edit, before, after)) for edit in parse_edits(texts))


def _moved(edit: ScoreEdit, before: Key, after: Key) -> ScoreEdit:
    if not isinstance(edit, ChordEdit):
        return edit
    moved = ((chord_name(in_mode(Chord.parse(name), before, after), after), beats) for name, beats in edit.chords)
    return ChordEdit(edit.bar, tuple(moved))
