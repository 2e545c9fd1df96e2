from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest

from tunesmith.composer.genre import BassStyle, ChordStyle
from tunesmith.composer.writing.accompaniment.bass_patterns import BASS_PATTERNS, LOCKED, LOCKED_LETTERS
from tunesmith.composer.writing.accompaniment.chord_patterns import CHORD_PATTERNS
from tunesmith.composer.writing.step_patterns import cycle_bar

STEPS = {"4/4": 16, "3/4": 12, "6/8": 12}


@pytest.mark.parametrize(
    ("patterns", "letters"),
    [(CHORD_PATTERNS, "cCgblu123456top-."), (BASS_PATTERNS, "rRgfotswa-.")],
    ids=["chords", "bass"],
)
def test_every_bar_is_full_and_has_known_letters(
    patterns: Mapping[str, Mapping[str, tuple[str, ...]]], letters: str
) -> None:
    for meters in patterns.values():
        assert set(meters) == set(STEPS)
        for meter, levels in meters.items():
            for text in (bars for level in levels for bars in level.split("|")):
                assert 1 <= len(text.split()) <= 4
                assert {len(bar) for bar in text.split()} == {STEPS[meter]}, text
                assert set(text) <= {*letters, " "}, text


def test_every_style_of_the_genres_has_patterns() -> None:
    assert set(CHORD_PATTERNS) == set(get_args(ChordStyle))
    assert set(BASS_PATTERNS) == set(get_args(BassStyle)) - {"walking"}
    assert set(LOCKED_LETTERS) == set(LOCKED)


def test_a_push_is_the_last_eighth_of_its_bar() -> None:
    for meters in CHORD_PATTERNS.values():
        for text in (bar for levels in meters.values() for level in levels for bar in level.replace("|", " ").split()):
            assert all(len(text) - place <= 2 for place, letter in enumerate(text) if letter == "p"), text


def test_three_bars_are_a_cycle_of_four() -> None:
    assert [cycle_bar("A B C", 0.0, bar) for bar in range(5)] == ["A", "B", "A", "C", "A"]
    assert [cycle_bar("A B", 0.0, bar) for bar in range(4)] == ["A", "B", "A", "B"]
    assert [cycle_bar("A|B|C", share, 0) for share in (0.0, 0.34, 0.99)] == ["A", "B", "C"]
