"""Transposition of keys, chords and notes; a part whose instrument would leave its range moves by octaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.instruments import Instrument
from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import Chord, Key


def transposed_key(key: Key, semitones: int) -> Key:
    """Return the key, moved."""
    return Key((key.tonic + semitones) % 12, key.mode)


def transposed_chords(spans: Sequence[ChordSpan], semitones: int) -> tuple[ChordSpan, ...]:
    """Return the chords, moved."""
    return tuple(replace(span, chord=_moved(span.chord, semitones)) for span in spans)


def transposed_notes(notes: Sequence[Note], tool: Instrument, semitones: int) -> tuple[Note, ...]:
    """Return the notes of a part, moved: all by the same interval where the instrument's range allows it.

    Otherwise the part moves by the octave that keeps most notes, and the others by octaves of their own. Drums and
    effects have no pitch and stay.
    """
    if not semitones or not is_pitched(tool):
        return tuple(notes)
    shift = min((semitones + octave for octave in (0, -12, 12)), key=lambda move: _outside(notes, tool, move))
    return tuple(replace(note, pitch=tool.into_range(note.pitch + shift)) for note in notes)


def is_pitched(tool: Instrument) -> bool:
    """Return whether an instrument plays tones."""
    return tool.family not in ("drums", "effects")


def interval(before: Key, after: Key) -> int:
    """Return the nearest interval from one tonic to another, −5 to 6 semitones."""
    return (after.tonic - before.tonic + 5) % 12 - 5


def in_mode(chord: Chord, before: Key, after: Key) -> Chord:
    """Return the chord on the same degree of another mode, a triad or seventh made of that mode's tones.

    A chord whose root is no degree of ``before``, and one between scales of different size, keep their quality.
    """
    degrees, others = before.pitch_classes, after.pitch_classes
    shift = interval(before, after)
    if before.mode == after.mode or chord.root not in degrees or len(degrees) != len(others) or len(others) != 7:
        return _moved(chord, shift)
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


def _moved(chord: Chord, semitones: int) -> Chord:
    bass = None if chord.bass is None else (chord.bass + semitones) % 12
    return Chord((chord.root + semitones) % 12, chord.quality, bass)


def _outside(notes: Sequence[Note], tool: Instrument, move: int) -> int:
    return sum(not tool.low <= note.pitch + move <= tool.high for note in notes)
