from __future__ import annotations

from tunesmith.composer.genre import MelodyTaste, load_genre
from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.scales import (
    CHORD_TONE,
    CLASHING,
    OUTSIDE,
    SCALE_TONE,
    chord_tone_rank,
    ladder,
    line_scale,
)


def test_a_ladder_is_climbed_by_scale_steps() -> None:
    rungs = ladder(Key(0, "major").pitch_classes)
    assert rungs.climb(rungs.nearest(60), 2) == 64
    assert rungs.climb(rungs.nearest(60), -1) == 59
    assert rungs.climb(rungs.nearest(127), 5) == 127


def test_each_pitch_sits_on_a_chord_in_one_way() -> None:
    sits = chord_tone_rank(Chord.parse("C"), Key(0, "major").pitch_classes)
    assert [sits[pitch] for pitch in (60, 62, 65, 61)] == [CHORD_TONE, SCALE_TONE, CLASHING, OUTSIDE]


def test_the_natural_clashes_where_the_chord_alters_it() -> None:
    assert chord_tone_rank(Chord.parse("D7"), Key(0, "major").pitch_classes)[65] == CLASHING


def test_a_bare_fifth_takes_its_third_from_the_scale() -> None:
    sits = chord_tone_rank(Chord.parse("A5"), Key(9, "minor").pitch_classes)
    assert sits[60] == CHORD_TONE
    assert sits[61] == OUTSIDE


def test_a_minor_scale_over_a_major_key_is_the_relatives() -> None:
    genre = load_genre("lofi").model_copy(update={"melody": MelodyTaste(scale="minor pentatonic")})
    assert set(line_scale(Key(0, "major"), genre)) == {0, 2, 4, 7, 9}
    assert set(line_scale(Key(9, "minor"), genre)) == {0, 2, 4, 7, 9}
