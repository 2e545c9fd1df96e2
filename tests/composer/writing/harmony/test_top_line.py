from __future__ import annotations

from itertools import pairwise

import pytest

from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.guitar_shapes import STRINGS, guitar_shape
from tunesmith.composer.writing.harmony.suspensions import MOVES, suspended
from tunesmith.composer.writing.harmony.top_line import CONTOURS, TopSlot, top_line

C_MAJOR = Key(0, "major")
POP = [Chord.parse(name) for name in ["C", "G", "Am", "F", "C", "Em", "Dm", "G"]]
SLOTS = [TopSlot(chord, passing=half == 1, moves=half == 1) for chord in POP for half in (0, 1)]


@pytest.mark.parametrize("contour", CONTOURS)
def test_a_top_line_sings(contour: tuple[float, ...]) -> None:
    line = top_line(SLOTS, (60, 71), C_MAJOR.pitch_classes, contour)
    assert len(line) == len(SLOTS)
    assert all(60 <= pitch <= 71 for pitch in line)
    distances = [abs(after - before) for before, after in pairwise(line)]
    assert sum(distances) / len(distances) <= 3.5
    assert max(distances) <= 7
    for index, (slot, pitch) in enumerate(zip(SLOTS, line, strict=True)):
        assert not (slot.moves and pitch == line[index - 1])
        assert pitch % 12 in (C_MAJOR.pitch_classes if slot.passing else slot.chord.pitch_classes)


def test_a_tone_outside_the_chord_is_reached_and_left_by_step() -> None:
    for contour in CONTOURS:
        line = top_line(SLOTS, (60, 71), C_MAJOR.pitch_classes, contour)
        for index, (slot, pitch) in enumerate(zip(SLOTS, line, strict=True)):
            if pitch % 12 not in slot.chord.pitch_classes:
                assert 0 < abs(pitch - line[index - 1]) <= 2


def test_a_contour_tells_where_the_line_rises() -> None:
    still = [TopSlot(Chord.parse("C"))] * 16
    rising = top_line(still, (55, 72), C_MAJOR.pitch_classes, (0.0, 1.0))
    falling = top_line(still, (55, 72), C_MAJOR.pitch_classes, (1.0, 0.0))
    assert rising[-1] > rising[0]
    assert falling[-1] < falling[0]


@pytest.mark.parametrize("quality", ["", "m", "7", "m7", "maj7", "sus4", "add9"])
def test_a_guitar_shape_fits_one_left_hand_with_its_bass_below(quality: str) -> None:
    for root in range(12):
        chord = Chord(root, quality)
        shape = guitar_shape(chord, 55, (40, 70), 6)
        assert shape[0] % 12 == root
        assert {pitch % 12 for pitch in shape} <= set(chord.pitch_classes)
        assert reachable(shape)


def reachable(shape: tuple[int, ...]) -> bool:
    """Return whether neighbouring strings can sound the pitches within four frets, open strings aside."""
    for lowest in range(len(STRINGS) - len(shape) + 1):
        frets = [pitch - string for pitch, string in zip(shape, STRINGS[lowest:], strict=False)]
        stopped = [fret for fret in frets if fret > 0]
        if min(frets) >= 0 and max(stopped, default=0) - min(stopped, default=0) < 4:
            return True
    return False


@pytest.mark.parametrize("move", MOVES)
def test_one_inner_voice_moves_up_a_step_of_the_key(move: str) -> None:
    chord = Chord.parse("C")
    before = (48, 55, 60, 64, 67, 72)
    after = suspended(before, chord, C_MAJOR, move)
    changed = [(low, high) for low, high in zip(before, after, strict=True) if low != high]
    assert len(changed) == 1
    assert 1 <= changed[0][1] - changed[0][0] <= 2
    assert (after[0], after[-1]) == (before[0], before[-1])
    assert changed[0][1] % 12 in C_MAJOR.pitch_classes


def test_a_minor_tonic_gets_no_flat_sixth() -> None:
    before = (45, 52, 57, 60, 64, 69)
    assert suspended(before, Chord.parse("Am"), Key(9, "minor"), "sixth") == before
    assert suspended(before, Chord.parse("Am"), Key(9, "dorian"), "sixth") != before
