from __future__ import annotations

import pytest

from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.passing_chords import passing_chord, with_passing_chords

C_MAJOR, A_MINOR = Key(0, "major"), Key(9, "minor")


@pytest.mark.parametrize(
    ("key", "first", "second", "passing"),
    [
        (C_MAJOR, "C", "Am", "G/B"), (C_MAJOR, "F", "Dm", "C/E"), (C_MAJOR, "C", "F", "C/E"),
        (C_MAJOR, "G7", "C", "G7/B"), (C_MAJOR, "C", "Em", "G/D"), (A_MINOR, "Am", "F", "Em/G"),
        (A_MINOR, "Am", "Dm", "Am/C"), (C_MAJOR, "C", "G", None), (C_MAJOR, "C", "Dm", None),
        (C_MAJOR, "Csus4", "F", None), (C_MAJOR, "C", "Ab", None),
    ],
)  # fmt: skip
def test_the_bass_walks_through_an_inversion(key: Key, first: str, second: str, passing: str | None) -> None:
    found = passing_chord(Chord.parse(first), Chord.parse(second), key)
    assert (None if found is None else str(found)) == passing


def test_the_bass_moves_by_at_most_a_third_and_stays_in_the_key() -> None:
    bars = tuple((Chord.parse(name),) for name in ["C", "Am", "F", "Dm", "G", "C", "F", "Em"])
    walked = with_passing_chords(bars, C_MAJOR, 1.0, seed=1)
    assert [bar[0] for bar in walked] == [bar[0] for bar in bars]
    assert sum(len(bar) == 2 for bar in walked) >= 4
    for index, bar in enumerate(walked):
        if len(bar) == 2:
            target = walked[(index + 1) % len(walked)][0].bass_pitch_class
            assert min((target - bar[1].bass_pitch_class) % 12, (bar[1].bass_pitch_class - target) % 12) in (1, 2)
            assert set(bar[1].pitch_classes) <= set(C_MAJOR.pitch_classes)


def test_without_a_share_nothing_changes_and_a_seed_decides() -> None:
    bars = tuple((Chord.parse(name),) for name in ["C", "Am", "F", "Dm"])
    assert with_passing_chords(bars, C_MAJOR, 0.0, seed=1) == bars
    assert len({with_passing_chords(bars, C_MAJOR, 0.5, seed=seed) for seed in range(8)}) > 2
