"""Notes and chords are spelled for their key, and read back as the same."""

from __future__ import annotations

import pytest

from tunesmith.composer.note_spelling import chord_name, note_name
from tunesmith.composer.theory import CHORD_QUALITIES, MODES, Chord, Key

KEYS = [Key(tonic, mode) for tonic in range(12) for mode in MODES]


@pytest.mark.parametrize(
    ("chord", "key", "written"),
    [
        (Chord(10, "m"), "F minor", "Bbm"), (Chord(1, "m7"), "A major", "C#m7"), (Chord(6, "7"), "E minor", "F#7"),
        (Chord(10, ""), "C major", "Bb"), (Chord(8, "m7b5"), "A minor", "G#m7b5"),
        (Chord(6, "dim"), "C major", "F#dim"), (Chord(2, "", 6), "G major", "D/F#"),
        (Chord(0, "7", 10), "F major", "C7/Bb"), (Chord(9, "7", 1), "D minor", "A7/C#"),
        (Chord(5, "m7b5"), "F# major", "E#m7b5"), (Chord(6, "5"), "C blues", "Gb5"),
        (Chord(0, "", 2), "C major", "C/D"), (Chord(9, "maj7"), "Db major", "Amaj7"),
    ],
)  # fmt: skip
def test_chords_are_written_as_textbooks_do(chord: Chord, key: str, written: str) -> None:
    assert chord_name(chord, Key.parse(key)) == written


def test_every_note_and_chord_reads_back() -> None:
    for key in KEYS:
        for pitch_class in range(12):
            assert Chord.parse(note_name(pitch_class, key)).root == pitch_class
            for quality in CHORD_QUALITIES:
                for bass in (None, (pitch_class + 4) % 12, (pitch_class + 1) % 12):
                    chord = Chord(pitch_class, quality, bass)
                    assert Chord.parse(chord_name(chord, key)) == chord


def test_a_scale_of_seven_notes_uses_every_letter_once() -> None:
    for key in KEYS:
        if key.mode in ("major", "minor", "dorian", "lydian", "mixolydian"):
            letters = [note_name(pitch_class, key)[0] for pitch_class in key.pitch_classes]
            assert sorted(letters) == list("ABCDEFG"), str(key)
