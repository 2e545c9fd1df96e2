"""Transposition: a finished piece in another key of the same mode, every part within the range of its instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import Key
from tunesmith.composer.writing.performance.overlaps import without_overlaps
from tunesmith.composer.writing.plan import UNPITCHED, Player

# Up to a fifth down or a tritone up: the nearest place of the key.
LOWEST_SHIFT = -5


def shift_between(home: Key, key: Key) -> int:
    """Return the semitones from one key to the nearest place of another, −5 to 6."""
    return (key.tonic - home.tonic - LOWEST_SHIFT) % 12 + LOWEST_SHIFT


def moved_chords(chords: Sequence[ChordSpan], shift: int) -> tuple[ChordSpan, ...]:
    """Return the chords so many semitones higher."""
    return tuple(replace(span, chord=span.chord.moved(shift)) for span in chords)


def moved_notes(player: Player, notes: Sequence[Note], shift: int) -> tuple[Note, ...]:
    """Return the notes so many semitones higher: at the octave that the instrument reaches best, the rest folded."""
    if not shift or player.role in UNPITCHED:
        return tuple(notes)
    tool = instrument(player.instrument)
    strays = {
        octave: sum(not tool.low <= note.pitch + shift + octave <= tool.high for note in notes)
        for octave in (0, -12, 12)
    }
    best = min(strays, key=lambda octave: (strays[octave], abs(octave)))
    moved = [replace(note, pitch=tool.into_range(note.pitch + shift + best)) for note in notes]
    if not strays[best]:
        return tuple(sorted(moved, key=lambda note: (note.start, note.pitch)))
    # A folded note may meet another of its pitch.
    single = {(note.start, note.pitch): note for note in sorted(moved, key=lambda note: note.length)}
    ordered = sorted(single.values(), key=lambda note: (note.start, note.pitch))
    return without_overlaps(ordered, mono=tool.polyphony == 1)
