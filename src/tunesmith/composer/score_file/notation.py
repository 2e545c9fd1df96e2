"""Notes and chords as short text, and back: ``1.5 C4 0.5 92`` is beat, pitch, length, velocity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import Chord, Key, on_grid, parse_pitch, pitch_name

# Reversed, so that of two drums with one key the first name in the table is written.
DRUM_NAMES: Mapping[int, str] = {key: name for name, key in reversed(list(DRUM_KEYS.items()))}

Timed = TypeVar("Timed", Note, ChordSpan)


def number(value: float) -> str:
    """Return a number with no more digits than the 1/960 grid needs: 5 decimals, no trailing zeros."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


def by_bar(items: Sequence[Timed], beats_per_bar: float) -> dict[int, list[Timed]]:
    """Return the items grouped by the bar, from 1, in which each begins."""
    bars: dict[int, list[Timed]] = {}
    for item in items:
        # The small offset keeps a start that rounding put just below a bar line in its bar.
        bars.setdefault(int(item.start / beats_per_bar + 1e-9) + 1, []).append(item)
    return bars


def beat_in_bar(start: float, bar: int, beats_per_bar: float) -> str:
    """Return the place of a time in its bar, counting beats from 1."""
    return number(start - (bar - 1) * beats_per_bar + 1)


def write_note(note: Note, bar: int, beats_per_bar: float, *, drums: bool) -> str:
    """Return the text of one note of a bar."""
    pitch = DRUM_NAMES.get(note.pitch, str(note.pitch)) if drums else pitch_name(note.pitch)
    glide = f" {note.glide}" if note.glide else ""
    return f"{beat_in_bar(note.start, bar, beats_per_bar)} {pitch} {number(note.length)} {note.velocity}{glide}"


def write_chord(span: ChordSpan, bar: int, beats_per_bar: float, key: Key) -> str:
    """Return the text of one chord of a bar, spelled for the key."""
    return f"{beat_in_bar(span.start, bar, beats_per_bar)} {chord_name(span.chord, key)} {number(span.length)}"


def read_note(text: str, bar: int, beats_per_bar: float, *, drums: bool) -> Note:
    """Return the note of a text; raise ValueError that says what is wrong with it."""
    words = text.split()
    if len(words) not in (4, 5):
        raise ValueError(f"{text!r} must be 'beat pitch length velocity [glide]'")
    length, velocity = _positive(words[2], "length"), _whole(words[3], "velocity", 1, 127)
    glide = _whole(words[4], "glide", -48, 48) if len(words) == 5 else 0
    pitch = _drum(words[1]) if drums else parse_pitch(words[1])
    return Note(_start(words[0], bar, beats_per_bar), on_grid(length), pitch, velocity, glide)


def read_chord(text: str, bar: int, beats_per_bar: float) -> ChordSpan:
    """Return the chord of a text; raise ValueError that says what is wrong with it."""
    words = text.split()
    if len(words) != 3:
        raise ValueError(f"{text!r} must be 'beat chord length'")
    return ChordSpan(
        _start(words[0], bar, beats_per_bar), on_grid(_positive(words[2], "length")), Chord.parse(words[1])
    )


def _start(word: str, bar: int, beats_per_bar: float) -> float:
    beat = _number(word, "beat")
    if not 1 <= beat < beats_per_bar + 1:
        raise ValueError(f"beat must be 1 to less than {number(beats_per_bar + 1)} in this meter, got {word}")
    return on_grid((bar - 1) * beats_per_bar + beat - 1)


def _number(word: str, name: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {word!r}") from None
    # Also false for NaN.
    if not abs(value) < 1e6:
        raise ValueError(f"{name} must be a finite number below a million, got {word!r}")
    return value


def _positive(word: str, name: str) -> float:
    value = _number(word, name)
    if on_grid(value) <= 0:
        raise ValueError(f"{name} must be above 0, got {word}")
    return value


def _whole(word: str, name: str, low: int, high: int) -> int:
    value = _number(word, name)
    if value != int(value) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {word}")
    return int(value)


def _drum(word: str) -> int:
    if word in DRUM_KEYS:
        return DRUM_KEYS[word]
    if word.isdecimal():
        return _whole(word, "drum key", 0, 127)
    raise ValueError(f"{word!r} is not a drum; drums are {', '.join(DRUM_KEYS)}")
