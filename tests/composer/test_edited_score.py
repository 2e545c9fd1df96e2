"""The score of a request with edits: they change what they name, in order, and what follows it; the rest stays."""

from __future__ import annotations

import pytest

from tunesmith.composer.changes import edit_request
from tunesmith.composer.composition import Composition, compose
from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import Score
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

PIECE = GenerationRequest.checked(prompt="warm lofi hip hop with a Rhodes, 84 bpm, in G minor", seed=11)


def edited(*edits: str) -> Score:
    return piece(*edits).score


def piece(*edits: str) -> Composition:
    return compose(PIECE.changed(score_edits=edits))


def chords(score: Score) -> list[str]:
    return [chord_name(span.chord, score.key) for span in score.chords]


def form(score: Score) -> list[tuple[str, int]]:
    return [(section.name, section.bars) for section in score.sections]


@pytest.fixture(scope="module")
def plain() -> Score:
    return compose(PIECE).score


def test_another_chord_is_played_in_its_bar_and_nowhere_else(plain: Score) -> None:
    bar = 5
    score = edited(f"chord {bar}=Abmaj7")
    assert chords(score) == [*chords(plain)[: bar - 1], "Abmaj7", *chords(plain)[bar:]]
    bass = next(part for part in score.parts if part.role == "bass")
    start = (bar - 1) * 4
    first = next(note for note in bass.notes if note.start >= start - 0.1)
    assert first.pitch % 12 == 8
    for part, before in zip(score.parts, plain.parts, strict=True):
        kept = [note for note in part.notes if not start - 4 <= note.start < start + 8]
        was = [note for note in before.notes if not start - 4 <= note.start < start + 8]
        assert kept == was, part.name
    drums, before = (next(part for part in one.parts if part.role == "drums") for one in (score, plain))
    assert drums == before


def test_chords_share_a_bar_evenly_or_by_beats() -> None:
    score = edited("chord 5=Ab Fm7", "chord 6=Cm:3 D7:1")
    spans = [(span.start, span.length) for span in score.chords if 16 <= span.start < 24]
    assert spans == [(16, 2), (18, 2), (20, 3), (23, 1)]


def test_sections_are_played_in_their_new_order_and_length(plain: Score) -> None:
    names = [name for name, _ in form(plain)]
    assert names == ["intro", "A", "B", "outro"]
    score = edited("sections A A=8 outro")
    assert form(score) == [("A", 4), ("A", 8), ("outro", 3)]
    assert score.bars == 15
    assert chords(score)[:4] == chords(plain)[2:6]


def test_each_edit_counts_bars_as_the_one_before_has_left_them(plain: Score) -> None:
    score = edited("sections A A", "chord 5=Abmaj7", "sections A A A")
    assert chords(score)[4] == "Abmaj7"
    assert chords(score)[:4] == chords(plain)[2:6]
    assert form(score) == [("A", 4)] * 3


def test_the_same_edits_give_the_same_score() -> None:
    edits = ("chord 5=Abmaj7", "sections intro A A", "transpose 2")
    assert edited(*edits) == edited(*edits)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ("chord 99=Fm", "chord 99: the piece has 11 bars"),
        ("chord 3=Fzz", "chord 3: 'zz' is not a chord quality"),
        ("chord 3=Fm:3 G:3", "chord 3: the bar has 4 beats, got 6"),
        ("sections A Q", "sections A Q: there is no section 'Q'; sections are intro, A, B, outro"),
        ("sections A=9999 A=9999", "at most 10000 bars together"),
    ],
)
def test_an_edit_that_the_score_cannot_have_is_refused_in_words(edit: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^score_edits: ") as refused:
        edited(edit)
    assert problem in str(refused.value)


def test_the_file_s_metadata_makes_it_again() -> None:
    made = piece("chord 5=Abmaj7")
    again = GenerationRequest.checked(**made.metadata["request"])
    assert compose(again).score == made.score


def test_edited_chords_move_with_the_key() -> None:
    change = edit_request(PIECE.changed(score_edits=["chord 5=Abmaj7", "transpose 0"]), "in A minor")
    assert change.request.score_edits == ("chord 5=Bbmaj7", "transpose 0")
    assert [one.source for one in change.changes if one.field == "score edits"] == ["follows"]
    slower = edit_request(PIECE.changed(score_edits=["chord 5=Abmaj7"]), "slower")
    assert slower.request.score_edits == ("chord 5=Abmaj7",)
