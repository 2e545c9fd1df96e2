"""The progressions of a piece are in its key, whatever modes the genre usually has."""

from __future__ import annotations

import pytest

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.theory import Key, Meter
from tunesmith.composer.writing.harmony.roman import parse_progression
from tunesmith.composer.writing.harmony.songbook import Setting, chosen_progressions

FOREIGN = [(name, mode) for name in genre_names() for mode in ("major", "minor")
           if all(Key(0, own).is_minor != (mode == "minor") for own in load_genre(name).modes)]  # fmt: skip
MAJOR, MINOR = 4, 3


def test_some_genres_have_no_minor_and_some_no_major() -> None:
    assert {mode for _, mode in FOREIGN} == {"major", "minor"}
    assert ("bluegrass", "minor") in FOREIGN


@pytest.mark.parametrize(("name", "mode"), FOREIGN)
def test_a_mode_that_the_genre_lacks_has_its_own_third(name: str, mode: str) -> None:
    key = Key(4, mode)
    setting = Setting(load_genre(name), key, Meter(4, 4), Mood(), loop=False)
    tonics = [
        chord
        for progression in chosen_progressions(setting, {"A": 8, "B": 8}, 1).values()
        for bar in parse_progression(progression.chords, key)
        for chord in bar
        if chord.root == key.tonic
    ]
    wanted = (key.tonic + (MINOR if mode == "minor" else MAJOR)) % 12
    assert tonics
    assert all(wanted in chord.pitch_classes for chord in tonics)
