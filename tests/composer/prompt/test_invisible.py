"""A prompt with invisible characters is the same prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunesmith.composer.prompt import read_brief
from tunesmith.composer.writing import write_score
from tunesmith.request import GenerationRequest

PROMPTS = (
    "solo piano, calm, 92 bpm in F# minor, 3/4, 20 seconds", "rock without drums, key of G", "静かなピアノ、ドラムなし",
    "jazz trio loop, 8 bars", "música triste de violín sin batería", "安静的钢琴,没有鼓,九十拍",
)  # fmt: skip


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("mark", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\ufe0f", "\U000e0041"])
def test_the_brief_is_the_same(prompt: str, mark: str) -> None:
    hidden = mark + mark.join(prompt) + mark
    plain, read = (read_brief(GenerationRequest.checked(prompt=text, seed=5)) for text in (prompt, hidden))
    assert read.prompt == hidden
    assert replace(read, prompt=prompt) == plain


def test_the_notes_are_the_same() -> None:
    texts = ("solo piano, calm, 12 seconds", "so\u00adlo pia\u200bno, ca\u2060lm, 12 sec\u200donds")
    first, second = (write_score(read_brief(GenerationRequest.checked(prompt=text, seed=5))).score for text in texts)
    assert replace(first, prompt="") == replace(second, prompt="")
