"""Edits of a score as texts: what is one has one plain form, and what is none is refused with what it should be."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest
from tunesmith.score_edits import edit_text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("chord 5=Fm7", "chord 5=Fm7"),
        ("  Chord 5 =  C/E:2   G7:2.0 ", "chord 5=C/E:2 G7:2"),
        ("sections intro A A=8 outro", "sections intro A A=8 outro"),
        ("transpose +2", "transpose 2"),
    ],
)
def test_an_edit_has_one_plain_form(text: str, plain: str) -> None:
    assert edit_text(text) == plain
    assert edit_text(plain) == plain


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reverse", "must be chord BAR=NAME"),
        ("chord 0=Fm7", "a bar from 1 to 10000, got 'chord 0=Fm7'"),
        ("chord 5=", "1 to 16 chords, got 0"),
        ("chord 5=h7", "must be a chord such as Fm7, C/E or Am:2, got 'h7'"),
        ("chord 5=F G:2", "either all chords have a length in beats or none"),
        ("chord 5=F:90", "at most 64 beats, got 90"),
        ("sections A=0", "1 to 10000 bars, got 'A=0'"),
        ("sections", "1 to 200, got 0"),
        ("transpose 37", "-36 to 36 semitones, got '37'"),
        ("chord 5=]}:", "must be a chord"),
    ],
)
def test_what_is_no_edit_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^score_edits\.0: ") as refused:
        GenerationRequest.checked(prompt="x", score_edits=[text])
    assert problem in str(refused.value)


def test_another_seed_keeps_edits_only_where_chords_and_form_are_locked() -> None:
    edited = GenerationRequest.checked(prompt="x", seed=3, score_edits=["chord 5=Fm7"])
    assert edited.of_seed(3) == edited
    assert edited.of_seed(4).score_edits == ()
    assert edited.keeping(["chords"]).of_seed(4).score_edits == ()
    assert edited.keeping(["chords", "form"]).of_seed(4).score_edits == edited.score_edits
