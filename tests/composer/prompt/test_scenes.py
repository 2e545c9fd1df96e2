"""The same scene gives the same genre in every language; what is not understood is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tunesmith.composer.prompt import lexicon_index as sources
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest

SCENES = yaml.safe_load((Path(__file__).parents[3] / "benchmarks" / "reading_scenes.yaml").read_text(encoding="utf-8"))
# benchmarks/reading.py measures all of them.
SAMPLE = [*SCENES["tuned"][::4], *SCENES["untuned"][::4]]
SCENE_TABLES = ("uses", "places", "weather_and_seasons", "stories", "occasions")


def test_seven_languages_agree_on_the_genre_of_a_scene() -> None:
    agreed = 0
    for scene in SAMPLE:
        genres = Counter(read_brief(GenerationRequest(prompt=text, seed=1)).genre for text in scene.values())
        agreed += genres.most_common(1)[0][1]
    assert agreed >= 0.85 * sum(map(len, SAMPLE))


@pytest.mark.parametrize("table", SCENE_TABLES)
def test_every_scene_leans_to_a_genre_and_none_more_than_its_name_would(table: str) -> None:
    for name, row in sources.lexicon_table(table).items():
        assert row["genres"], name
        assert all(0 < weight <= 1 for weight in row["genres"].values()), name
        assert all(-1 <= number <= 1 for number in row.get("at", ())), name


@pytest.mark.parametrize("table", SCENE_TABLES[1:])
def test_every_scene_has_words_in_seven_languages(table: str) -> None:
    for name, row in sources.lexicon_table(table).items():
        assert row.keys() >= set(sources.LANGUAGES), name


def test_the_mood_of_several_scenes_lies_between_them() -> None:
    brief = read_brief(GenerationRequest(prompt="a funeral in the rain", seed=1))
    assert brief.mood.valence < -0.2
    assert brief.mood.arousal < -0.3


@pytest.mark.parametrize("prompt", ["xqzt vrrbl", "a blorp zang at 0:10", "qwertz uiop 30 s"])
def test_what_nothing_in_a_prompt_explains_is_said(prompt: str) -> None:
    warnings = read_brief(GenerationRequest(prompt=prompt, seed=1)).warnings
    assert any("not understood" in warning or "not sure" in warning for warning in warnings)
