from __future__ import annotations

import pytest

from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.roman import parse_numeral, parse_progression

C = Key(0, "major")
A_MINOR = Key(9, "minor")


@pytest.mark.parametrize(
    ("numeral", "chord"),
    [
        ("I", "C"), ("ii9", "Dm9"), ("V7", "G7"), ("Imaj7", "Cmaj7"), ("viiø", "Bm7b5"), ("vii°", "Bdim"),
        ("Isus4", "Csus4"), ("I5", "C5"), ("bVII", "Bb"), ("bIIImaj7", "Ebmaj7"), ("iv", "Fm"), ("iv6", "Fm6"),
        ("V7/ii", "A7"), ("V7/V", "D7"), ("V/vi", "E"), ("vii°/ii", "C#dim"), ("I/III", "C/E"), ("V/VII", "G/B"),
        ("IV/I", "F/C"), ("#iv°7", "F#dim7"), ("III+", "Eaug"), ("V9sus4", "G9sus4"), ("iiq", "Dq"), ("vi13", "Am11"),
    ],
)  # fmt: skip
def test_numerals_read_in_major(numeral: str, chord: str) -> None:
    assert parse_numeral(numeral, C) == Chord.parse(chord)


@pytest.mark.parametrize(
    ("numeral", "chord"),
    [("i", "Am"), ("VI", "F"), ("VII", "G"), ("bVII", "G"), ("III", "C"), ("iv9", "Dm9"), ("V7", "E7"), ("ii°", "Bdim"),
     ("bII", "Bb"), ("#vi°", "F#dim"), ("imaj7", "Ammaj7"), ("V7/iv", "A7"), ("i/VII", "Am/G")],
)  # fmt: skip
def test_numerals_read_in_minor(numeral: str, chord: str) -> None:
    assert parse_numeral(numeral, A_MINOR) == Chord.parse(chord)


@pytest.mark.parametrize("wrong", ["", "H7", "VIII", "Ifoo", "iiV", "V7/"[:-1] + "x"])
def test_what_is_not_a_numeral_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"numeral|quality"):
        parse_numeral(wrong, C)


def test_a_progression_keeps_its_bars() -> None:
    bars = parse_progression("ii7 V7 | Imaj7", C)
    assert [[str(chord) for chord in bar] for bar in bars] == [["Dm7", "G7"], ["Cmaj7"]]
