"""What no word table knows is taken by its meaning, with a line that says how sure that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest

PROMPTS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("other_languages.yaml").read_text(encoding="utf-8")
)
FEWEST_RIGHT_OF_8 = 7
MEASURED_RIGHT = 60  # of 64


def read(prompt: str, **fields: object) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, seed=1, **fields))


def rightly_read(prompts: list[str]) -> int:
    """Return for how many prompts, calm and energetic ones in turn, the mood is on the right side."""
    return sum((read(prompt).mood.arousal > 0) == bool(place % 2) for place, prompt in enumerate(prompts))


@pytest.mark.parametrize("language", PROMPTS["understood"])
def test_calm_is_told_from_energetic_in_the_languages_of_the_encoder(language: str) -> None:
    assert rightly_read(PROMPTS["understood"][language]) >= FEWEST_RIGHT_OF_8


def test_the_table_is_read_as_well_as_was_measured() -> None:
    assert len(PROMPTS["understood"]) >= 6
    assert sum(map(rightly_read, PROMPTS["understood"].values())) >= MEASURED_RIGHT


@pytest.mark.parametrize("language", ["ar", "ko", "ru", "th"])
def test_a_language_without_a_table_gets_a_line_that_says_how_sure(language: str) -> None:
    for prompt in PROMPTS["understood"][language]:
        brief = read(prompt)
        (warning,) = brief.warnings
        similarity = re.search(r"matched by meaning to .+ \(similarity (0\.\d\d) of 1\)$", warning)
        assert similarity is not None
        assert warning.startswith("prompt: not sure what this means") == (float(similarity[1]) < 0.5)
        assert next(reason.source for reason in brief.reasons if reason.field == "genre") == "meaning"


@pytest.mark.parametrize("prompt", [prompt for prompts in PROMPTS["beyond"].values() for prompt in prompts])
def test_a_language_beyond_the_encoder_is_not_understood(prompt: str) -> None:
    assert read(prompt).warnings == ("prompt: not understood; Pop is used, the default",)


@pytest.mark.parametrize(
    "prompt",
    ["asdf qwer", "qwertz uiop", "xkcd lmnop", "hjkl", "zzzzzz", "blorp zang fnord", "фывапр олдж", "ضصثق فغعه", "x"],
)
def test_nonsense_gives_what_no_words_give(prompt: str) -> None:
    brief, empty = read(prompt), read("music")
    assert brief.warnings == ("prompt: not understood; Pop is used, the default",)
    assert (brief.genre, brief.mood, brief.tempo_bpm, brief.key) == (
        empty.genre,
        empty.mood,
        empty.tempo_bpm,
        empty.key,
    )
    reason = next(reason for reason in brief.reasons if reason.field == "genre")
    assert (reason.source, reason.because) == ("genre", "no evidence for a genre other than Pop")


def test_explicit_words_count_in_any_language() -> None:
    brief = read("спокойная музыка, 92 bpm, 20 s, F#m")
    assert (brief.tempo_bpm, brief.duration, str(brief.key)) == (92, 20, "F# minor")
    assert brief.mood.arousal < 0


def test_beside_a_genre_nonsense_is_said_not_to_count() -> None:
    assert read("asdf qwer zxcv", genre="jazz").warnings == ("prompt: not understood; only the other fields are used",)
    assert read("asdf qwer zxcv", genre="jazz").mood == read("music", genre="jazz").mood


@pytest.mark.parametrize(
    "prompt", ["music", "114 bpm", "30 Sekunden", "la menor", "calm", "sunrise over the savannah in a nature film",
               "uma tarde preguiçosa na rede", "夜中の高速道路を走る赤いスポーツカー"],
)  # fmt: skip
def test_what_is_understood_gets_no_such_line(prompt: str) -> None:
    assert read(prompt).warnings == ()


def test_a_letter_without_a_name_is_not_understood() -> None:
    assert read("\U00017000\U00017001 \U00017002\U00017003").warnings[0].startswith("prompt: not understood")
