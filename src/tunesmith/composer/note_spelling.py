"""Notes and chords spelled for a key: in F minor the fourth is B flat minor, never A sharp minor."""

from __future__ import annotations

from tunesmith.composer.theory import FLAT_NAMES, LETTERS, SHARP_NAMES, Chord, Key

_LETTERS = tuple(LETTERS)
_STEPS = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
"""The letter of each semitone above the tonic, in letters above the tonic's: lowered degrees, and a raised fourth."""
_LOWERED_FIFTH = frozenset({"locrian", "blues"})
_STEPS_OF_INTERVAL = (0, 1, 1, 2, 2, 3, 4, 4, 4, 5, 6, 6)
"""The same above the root of a chord, where 6 semitones are a diminished fifth."""
_DIMINISHED_SEVENTH = "dim7"


def note_name(pitch_class: int, key: Key) -> str:
    """Return a pitch class 0–11 as it is written in a key, with ``#`` or ``b``: 10 in F minor is ``Bb``.

    A note that would need two accidentals has its simpler name.
    """
    semitones = (pitch_class - key.tonic) % 12
    step = 4 if semitones == 6 and key.mode in _LOWERED_FIFTH else _STEPS[semitones]
    return _named(pitch_class, key.tonic_name[0], step, flats=key.uses_flats)


def chord_name(chord: Chord, key: Key) -> str:
    """Return a chord as it is written in a key: ``Bbm7`` in F minor, ``D/F#`` in G major; Chord.parse reads it back."""
    root = note_name(chord.root, key)
    if chord.bass is None:
        return f"{root}{chord.quality}"
    return f"{root}{chord.quality}/{_bass_name(chord, root, key)}"


def _bass_name(chord: Chord, root: str, key: Key) -> str:
    """Return the name of a slash chord's bass: as a note of the chord where it is one, else as one of the key."""
    assert chord.bass is not None
    if chord.bass not in chord.pitch_classes:
        return note_name(chord.bass, key)
    semitones = (chord.bass - chord.root) % 12
    is_seventh = semitones == 9 and chord.quality == _DIMINISHED_SEVENTH
    step = 6 if is_seventh else _STEPS_OF_INTERVAL[semitones]
    return _named(chord.bass, root[0], step, flats=root.endswith("b") or key.uses_flats)


def _named(pitch_class: int, letter: str, step: int, *, flats: bool) -> str:
    """Return the name of a pitch class whose letter lies ``step`` letters above another one."""
    wanted = _LETTERS[(_LETTERS.index(letter) + step) % 7]
    # -6 to 5, so that B and C are one semitone apart, not eleven.
    shift = (pitch_class - LETTERS[wanted] + 6) % 12 - 6
    if abs(shift) > 1:
        return (FLAT_NAMES if flats else SHARP_NAMES)[pitch_class]
    return wanted + {0: "", 1: "#", -1: "b"}[shift]
