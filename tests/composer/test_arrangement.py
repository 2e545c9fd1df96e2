"""The arrangement says of a score exactly what it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.composer.arrangement import arrangement_of, shortened
from tunesmith.composer.composition import compose
from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import Score
from tunesmith.composer.theory import CHORD_QUALITIES, Chord, Key
from tunesmith.request import GenerationRequest


@pytest.fixture(scope="module", params=["lofi hip hop, 90 bpm", "viennese waltz for strings", "irish jig, 6/8"])
def score(request: pytest.FixtureRequest) -> Score:
    wishes = GenerationRequest.checked(prompt=request.param, duration=40, seed=5)
    return compose(wishes).score


def test_the_sections_fill_the_piece_and_have_a_chord_in_every_bar(score: Score) -> None:
    sections = arrangement_of(score).sections
    assert sum(section.bars for section in sections) == score.bars
    assert [section.bar for section in sections] == [section.bar + 1 for section in score.sections]
    assert [section.start for section in sections] == sorted(section.start for section in sections)
    assert all(len(section.chords) == section.bars and all(section.chords) for section in sections)


def test_every_chord_of_the_score_is_in_the_bar_where_it_sounds(score: Score) -> None:
    bars = [bar for section in arrangement_of(score).sections for bar in section.chords]
    for span in score.chords:
        assert chord_name(span.chord, score.key) in bars[int(span.start // score.meter.beats_per_bar)]


def test_a_part_plays_in_as_many_bars_as_have_its_notes(score: Score) -> None:
    for part, arranged in zip(score.parts, arrangement_of(score).parts, strict=True):
        bars = {int((note.start + 1 / 8) // score.meter.beats_per_bar) for note in part.notes}
        assert sum(arranged.bars_played) == len(bars & set(range(score.bars)))
        assert all(played <= section.bars for played, section in zip(arranged.bars_played, score.sections, strict=True))


@given(st.integers(0, 11), st.sampled_from(sorted(CHORD_QUALITIES)), st.none() | st.integers(0, 11), st.integers(0, 11))
def test_a_chord_is_read_back_from_its_name_in_any_key(root: int, quality: str, bass: int | None, tonic: int) -> None:
    chord = Chord(root, quality, bass)
    assert Chord.parse(chord_name(chord, Key(tonic, "minor"))) == chord


@given(st.lists(st.lists(st.sampled_from(["Am", "F", "C", "G7"]), min_size=1, max_size=2), min_size=1, max_size=8))
def test_shortened_chords_say_the_same(bars: list[list[str]]) -> None:
    text, _, times = shortened(bars).partition(" ×")
    assert text.split(" | ") * int(times or 1) == [" ".join(bar) for bar in bars]
