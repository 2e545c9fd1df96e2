"""The same scene gives the same genre in every language; what is not understood is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from tunesmith.composer.prompt import lexicon_index as sources
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.request import GenerationRequest

SCENES = yaml.safe_load((Path(__file__).parents[3] / "benchmarks" / "reading_scenes.yaml").read_text(encoding="utf-8"))
# benchmarks/reading.py measures all of them.
SAMPLE = [*SCENES["tuned"][::4], *SCENES["untuned"][::4]]
SCENE_TABLES = (
    "uses", "places", "weather_and_seasons", "stories", "occasions", "work_and_home", "eras_and_traditions",
    "situations", "daily_life",
)  # fmt: skip


SMALL_WORDS = """
the a an of to in on at by for with from and or not is are was be it this that these i you he we they my your his our
all no time way thing new old good great big long high right left up down out over there when how what who can will do
make get go come see look want give use call first last own same many each before after soft loud hard light clean open
close start stop end play music song track beat loop bar note chord key sound bass lead pad mono stereo mix build hit
pan mode scale band piano guitar drum string horn style mood minute brief pain chat ours don boot held kind mine route
el los las un una unos del al y o u que en por para con sin su mi tu es son muy pero como si no lo se te me nos todo
der die das ein eine und oder ist sind mit zu im am auf an aus bei nach sehr mehr als wie so wenn aber nur auch sein
le les des du de et ou ne pas sont avec dans sur sous par plus mais ce cette elle nous vous mon ton sa ses au aux
os as um uma do da dos das não são com em na nas mais muito mas se seu sua meu minha
"""
"""Words that are small in one language, whatever they mean in another: fr thé is the, pt time is a team."""


def test_no_scene_claims_a_small_word_of_any_language() -> None:
    claimed = {word for word in SMALL_WORDS.split() if understand(word).names("use")}
    assert claimed == set()


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
