"""A tune in another mood: the degree of each note stays where the other mode has it, and no note leaves the range."""

from __future__ import annotations

import pytest

from tunesmith.composer.theory import Key
from tunesmith.composer.writing.melody.kept_tune import on_same_degree, within


@pytest.mark.parametrize(("before", "after"), [("major", "minor"), ("minor", "major"), ("dorian", "major")])
def test_a_degree_of_one_mode_is_the_same_degree_of_another(before: str, after: str) -> None:
    old, new = Key(2, before), Key(2, after)
    moved = [on_same_degree(60 + (old.tonic + step) % 12, old, new) for step in old.scale]
    assert [(pitch - new.tonic) % 12 for pitch in moved] == list(new.scale)


def test_a_tone_that_both_modes_have_stays() -> None:
    major, minor = Key(0, "major"), Key(0, "minor")
    assert [on_same_degree(pitch, major, minor) for pitch in (60, 62, 65, 67)] == [60, 62, 65, 67]


def test_a_note_moves_by_octaves_into_the_range() -> None:
    for pitch in range(24, 108):
        for octaves in range(-3, 4):
            moved = within(pitch, octaves, 55, 79)
            assert 55 <= moved <= 79
            assert (moved - pitch) % 12 == 0
