"""Explicit wishes are read exactly, whatever marks, spaces and words stand around them, in seven languages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest

LANGUAGES = ("en", "es", "de", "fr", "pt", "ja", "zh")
TABLE: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("explicit_words.yaml").read_text(encoding="utf-8"))


def ways_of(field: str, value: Any, language: str) -> tuple[str, ...]:
    row = TABLE["ways"][field][value]
    return (*row.get("any", ()), *row.get(language, ()))


SHARED = {way for values in TABLE["ways"].values() for row in values.values() for way in row.get("any", ())}
EXPLICIT = {"tempo", "key", "meter", "bars", "duration", "form"}
REASON = {"tempo_bpm": {"tempo"}, "tempo_range": {"tempo"}, "loop": {"form"}, "instruments": set(), "without": set()}


def read(prompt: str) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, genre="pop", seed=1))


def value_of(brief: Brief, field: str) -> Any:
    """Return a field of a brief as the table writes it."""
    if field == "tempo_range":
        return "-".join(f"{bpm:g}" for bpm in brief.tempo_range)
    value = getattr(brief, field)
    return str(value) if field in ("key", "meter") else value


def holds(brief: Brief, field: str, value: Any) -> bool:
    got = value_of(brief, field)
    return value in got if field in ("instruments", "without") else bool(got == value)


def read_fields(brief: Brief) -> set[str]:
    """Return the explicit fields that the words of the prompt decided."""
    return {reason.field for reason in brief.reasons if reason.source == "prompt"} & EXPLICIT


def test_the_table_is_large() -> None:
    rows = [ways_of(f, v, language) for f, row in TABLE["ways"].items() for v in row for language in LANGUAGES]
    assert sum(map(len, rows)) >= 2_000
    assert all(rows)


COMMON_SHARE, OWN_SHARE = 6, 2
"""A way meets one in so many of the frames that all languages have, and of its language's own: half a millisecond each.
A way of all languages meets every common frame, in one language or another."""


def frames_of(way: str, language: str) -> list[str]:
    """Return a share of the common frames and of a language's own, so that each frame meets each field often."""
    common, own = TABLE["frames"]["any"], TABLE["frames"][language]
    turn = sum(map(ord, way))
    if way in SHARED:
        return [*common[LANGUAGES.index(language) :: len(LANGUAGES)], *own[turn % OWN_SHARE :: OWN_SHARE]]
    return [*common[turn % COMMON_SHARE :: COMMON_SHARE], *own[turn % OWN_SHARE :: OWN_SHARE]]


def test_every_frame_meets_many_ways() -> None:
    ways = [(way, language) for field, row in TABLE["ways"].items() for value in row for language in LANGUAGES
            for way in ways_of(field, value, language)]  # fmt: skip
    met = Counter(frame for way, language in ways for frame in frames_of(way, language))
    assert min(met[frame] for frame in TABLE["frames"]["any"]) >= 200
    assert min(met[frame] for language in LANGUAGES for frame in TABLE["frames"][language]) >= 100


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("field", "value"), [(field, value) for field, row in TABLE["ways"].items() for value in row])
def test_a_wish_is_read_in_every_frame(field: str, value: Any, language: str) -> None:
    calm, more = TABLE["carriers"][language]
    wrong = {}
    for way in ways_of(field, value, language):
        for frame in frames_of(way, language):
            prompt = frame.format(way=way, calm=calm, more=more)
            brief = read(prompt)
            also = read_fields(brief) - REASON.get(field, {field})
            if not holds(brief, field, value) or also or brief.warnings:
                wrong[prompt] = (value_of(brief, field), also, brief.warnings)
    assert wrong == {}


@pytest.mark.parametrize(
    ("language", "words"), [(language, words) for language, rows in TABLE["unread"].items() for words in rows]
)
def test_what_is_no_wish_stays_unread(language: str, words: str) -> None:
    calm, more = TABLE["carriers"][language]
    for frame in (*TABLE["frames"]["any"], *TABLE["frames"][language]):
        prompt = frame.format(way=words, calm=calm, more=more)
        assert read_fields(read(prompt)) == set(), prompt


@pytest.mark.parametrize(
    ("text", "meter"), [("¾", "3/4"), ("３／４", "3/4"), ("waltz time", "3/4"), ("6/8-Takt", "6/8"), ("三拍子", "3/4")]
)
def test_a_meter_flag_is_read_as_in_a_prompt(text: str, meter: str) -> None:
    assert str(read_brief(GenerationRequest.checked(prompt="jazz", meter=text, seed=1)).meter) == meter


SHOWN_AS = {"length": "duration", "end": "duration", "moments": "hit", "bed": "form"}
"""The rows of the page's table that are named otherwise than the field they decide."""


def _shown_ways() -> list[tuple[str, str]]:
    page = (Path(__file__).parents[3] / "docs" / "composer.md").read_text(encoding="utf-8")
    table = page.partition("## How a prompt is read")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (`.+) \|$", table, flags=re.MULTILINE)
    return [(field, way) for field, ways in rows for way in re.findall(r"`([^`]+)`", ways)]


@pytest.mark.parametrize(("field", "way"), _shown_ways())
def test_the_page_shows_ways_that_work(field: str, way: str) -> None:
    brief = read(way)
    if field == "players":
        assert brief.instruments or brief.without
    elif field == "loop":
        assert brief.loop != ("no" in way.replace(":", "").split())
    else:
        assert SHOWN_AS.get(field, field) in {reason.field for reason in brief.reasons if reason.source == "prompt"}
