"""Invisible characters count nowhere; letters of every script stay."""

from __future__ import annotations

import unicodedata

import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import InvalidRequest
from tunesmith.output_files import slug
from tunesmith.plain_text import plain_text, visible_text
from tunesmith.request import GenerationRequest
from tunesmith.text_prompt import prompt_text

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064\u2066\u2069\u3164\ufe0e\ufe0f\ufeff\uffa0"
    "\ufff9\U000e0001\U000e0061\U000e0100"
)


@pytest.mark.parametrize("mark", INVISIBLE, ids=lambda mark: f"U+{ord(mark):04X}")
def test_an_invisible_character_counts_nowhere(mark: str) -> None:
    def hide(text: str) -> str:
        return f"{mark}{text[:2]}{mark}{text[2:]}{mark}"

    assert visible_text(hide("piano")) == "piano"
    assert slug(hide("calm piano")) == "calm-piano"
    request = GenerationRequest.checked(
        prompt=hide("calm piano"), model=hide("composer"), genre=hide("jazz"), key=hide("C minor"), meter=hide("3/4"),
        instruments=(hide("piano"),), without=(hide("drums"),), negative_prompt=hide("drums"), duration=hide("30"),
    )  # fmt: skip
    plain = GenerationRequest.checked(
        prompt="calm piano", genre="jazz", key="C minor", meter="3/4", instruments=("piano",), without=("drums",),
        negative_prompt="drums", duration=30,
    )  # fmt: skip
    assert request.model_dump(exclude={"prompt"}) == plain.model_dump(exclude={"prompt"})
    assert request.prompt == hide("calm piano")
    assert prompt_text(request) == prompt_text(plain)


def test_a_prompt_that_nobody_can_see_is_empty() -> None:
    with pytest.raises(InvalidRequest, match=r"^prompt: must contain words"):
        GenerationRequest.checked(prompt="\u3164\u115f\u200b")


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क\u094d\u200dष", "ක\u0dca\u200dෂ", "ক\u09cd\u200cষ"])
def test_joiners_stay_where_the_script_needs_them(text: str) -> None:
    assert visible_text(text) == text


@VALUES
@given(st.text())
def test_no_visible_letter_or_digit_is_lost(text: str) -> None:
    def seen(what: str) -> list[str]:
        return [c for c in what if unicodedata.category(c)[0] in "LN" and c not in INVISIBLE + "\u1160\u17b4\u17b5"]

    assert seen(visible_text(text)) == seen(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("ＢＰＭ：１１４", "BPM:114"), ("1½ min", "1 1/2 min"), ("¾ time", "3/4 time"), ("3⁄4", "3/4"), ("F♯ B♭", "F♯ B♭"),
     ("1\ufe0f\u20e32\ufe0f\u20e30\ufe0f\u20e3 bpm", "120 bpm"), ("114\u00a0bpm\u2009x", "114 bpm x"),
     ("a\u2028b", "a\nb"), ("👩\u200d🚀", "👩🚀")],
)  # fmt: skip
def test_plain_text_has_one_spelling(text: str, plain: str) -> None:
    assert plain_text(text) == plain
