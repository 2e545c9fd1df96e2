"""Transposition: keys, chords and parts in another key or mode, every part within the range of its instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import Chord, Key
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
    return tuple(notes) if player.role in UNPITCHED else moved_on(instrument(player.instrument), notes, shift)


def moved_on(tool: Instrument, notes: Sequence[Note], shift: int) -> tuple[Note, ...]:
    """Return the notes of an instrument so many semitones higher; drums and effects have no pitch and stay."""
    if not shift or not is_pitched(tool):
        return tuple(notes)
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
    return without_overlaps(tuple(single.values()), mono=tool.polyphony == 1)


def moved_key(key: Key, shift: int) -> Key:
    """Return the key so many semitones higher."""
    return Key((key.tonic + shift) % 12, key.mode)


def is_pitched(tool: Instrument) -> bool:
    """Return whether an instrument plays tones."""
    return tool.family not in ("drums", "effects")


def in_mode(chord: Chord, before: Key, after: Key) -> Chord:
    """Return the chord on the same degree of another mode, a triad or seventh made of that mode's tones.

    A chord whose root is no degree of ``before``, and one between scales of different size, keep their quality.
    """
    degrees, others = before.pitch_classes, after.pitch_classes
    shift = shift_between(before, after)
    if before.mode == after.mode or chord.root not in degrees or len(degrees) != len(others) or len(others) != 7:
        return chord.moved(shift)
    degree = degrees.index(chord.root)
    bass = chord.bass
    if bass is not None:
        bass = others[degrees.index(bass)] if bass in degrees else (bass + shift) % 12
    third, fifth, seventh = ((others[(degree + step) % 7] - others[degree]) % 12 for step in (2, 4, 6))
    return Chord(others[degree], _quality(chord, third, fifth, seventh), bass)


def _quality(chord: Chord, third: int, fifth: int, seventh: int) -> str:
    # A chord without a third, such as sus4 or 5, has no mode.
    if not {3, 4} & set(chord.intervals):
        return chord.quality
    triad = {(4, 7): "", (3, 7): "m", (3, 6): "dim", (4, 8): "aug"}.get((third, fifth), "")
    if not {9, 10, 11} & set(chord.intervals):
        return triad
    sevenths = {
        ("", 11): "maj7", ("", 10): "7", ("m", 10): "m7", ("m", 11): "mmaj7", ("dim", 10): "m7b5", ("dim", 9): "dim7",
        ("aug", 10): "7#5",
    }  # fmt: skip
    return sevenths.get((triad, seventh), triad)
