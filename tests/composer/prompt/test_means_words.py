"""Means are constraints, moods choose: 12 means × 16 moods × 7 languages, by the rules of docs/composer.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tunesmith.composer.prompt import read_brief
from tunesmith.composer.prompt.genre_and_mood import GenreChoice, choose_genre
from tunesmith.composer.prompt.lexicon import value
from tunesmith.composer.prompt.means_words import inside
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.request import GenerationRequest

TABLE = yaml.safe_load(Path(__file__).with_name("means_and_moods.yaml").read_text(encoding="utf-8"))
MOST_VALENCE, MOST_AROUSAL = 0.9, 0.75
AS_NEAR = 0.2


def chosen(prompt: str, seed: int) -> GenreChoice:
    return choose_genre(GenerationRequest(prompt=prompt, seed=seed), understand(prompt))


def prompts(means: str, mood: str) -> Iterator[tuple[str, str]]:
    for language, order in TABLE["order"].items():
        words = {"mood": TABLE["moods"][mood][language], "means": TABLE["means"][means][language]}
        yield language, order.format(**words)


def distances(genre: str, mood: str) -> tuple[float, float]:
    (valence, arousal), (own_valence, own_arousal) = value("mood", mood)["at"], value("genre", genre)["at"]
    return abs(valence - own_valence), abs(arousal - own_arousal)


def fits(genre: str, means: str, mood: str) -> bool:
    """Return whether the genre's entry lies near the mood, or as near as that of any genre inside the means."""
    valence, arousal = distances(genre, mood)
    nearest = min(sum(distances(other, mood)) for other in inside((means,)))
    return (valence <= MOST_VALENCE and arousal <= MOST_AROUSAL) or valence + arousal <= nearest + AS_NEAR


@pytest.mark.parametrize("means", TABLE["means"])
def test_any_means_with_any_mood_keep_the_family_and_fit_the_mood_in_every_language(means: str) -> None:
    agreed = 0
    for mood in TABLE["moods"]:
        genres = {}
        for language, prompt in prompts(means, mood):
            choice = chosen(prompt, seed=1)
            # A name such as "sad piano" is a genre of its own, inside all the same.
            assert choice.means == (means,) or choice.reason.because.startswith("the prompt says"), prompt
            assert choice.name in inside((means,)), (prompt, choice.name)
            assert fits(choice.name, means, mood), (prompt, choice.name)
            genres[language] = choice.name
        agreed += Counter(genres.values()).most_common(1)[0][1]
    assert agreed >= 0.97 * len(TABLE["moods"]) * len(TABLE["order"])


@pytest.mark.parametrize("means", TABLE["means"])
def test_the_seed_draws_among_genres_that_all_fit(means: str) -> None:
    drawn = {mood: {chosen(prompt, seed).name for seed in range(8) for _, prompt in [next(prompts(means, mood))]}
             for mood in ("calm", "happy", "energetic", "nostalgic")}  # fmt: skip
    assert all(fits(genre, means, mood) for mood, genres in drawn.items() for genre in genres)
    assert len(set.union(*drawn.values())) >= 5


def test_a_named_genre_keeps_its_means_where_it_can_be_made_with_them() -> None:
    assert read_brief(GenerationRequest(prompt="acoustic pop", seed=1)).means == ("acoustic",)
    assert read_brief(GenerationRequest(prompt="electronic lofi", seed=1)).means == ("electronic",)
    trap = read_brief(GenerationRequest(prompt="orchestral trap", seed=1))
    assert (trap.means, trap.genre) == ((), "trap")
    assert "strings" in trap.instruments


def test_the_limit_has_a_reason_that_quotes_the_user() -> None:
    brief = read_brief(GenerationRequest(prompt="zarte elektronische Musik", seed=1))
    reason = next(reason for reason in brief.reasons if reason.field == "means")
    assert reason.value == "electronic"
    assert "elektronische Musik" in reason.because


def test_music_that_must_not_be_electronic_is_acoustic() -> None:
    assert read_brief(GenerationRequest(prompt="calm music, not electronic", seed=1)).means == ("acoustic",)


def test_a_tempo_chooses_among_the_genres_inside() -> None:
    fast = {chosen("electronic music, 174 bpm", seed).name for seed in range(6)}
    slow = {chosen("electronic music, 70 bpm", seed).name for seed in range(6)}
    assert "drum_and_bass" in fast
    assert not fast & slow


def test_calm_electronic_music_mostly_has_a_beat_and_sleep_has_none() -> None:
    calm = [value("genre", chosen("calm electronic music", seed).name)["family"] for seed in range(24)]
    assert 0.5 <= 1 - calm.count("ambient") / len(calm) <= 0.95
    assert {value("genre", chosen("electronic music for sleep", seed).name)["family"] for seed in range(8)} == {
        "ambient"
    }


@pytest.mark.parametrize(
    "prompt",
    ["calm electronic music, no beat", "calm electronic music without drums",
     "música electrónica tranquila sin batería", "ruhige elektronische Musik ohne Beat",
     "musique électronique calme sans batterie",
     "música eletrônica calma sem batida", "ビートのない静かな電子音楽", "没有鼓点的平静电子音乐"],
)  # fmt: skip
def test_who_wants_no_beat_gets_no_genre_of_the_beat(prompt: str) -> None:
    families = [value("genre", chosen(prompt, seed).name)["family"] for seed in range(8)]
    assert families.count("ambient") >= 6


def test_who_wants_drums_may_get_a_genre_that_has_them() -> None:
    assert {"ambient"} != {chosen("dreamy synth pads and soft drums", seed).name for seed in range(8)}


def test_a_player_named_alone_leaves_the_genre_to_the_mood() -> None:
    genres = {mood: chosen(f"{mood} guitar", seed=1).name for mood in ("calm", "energetic", "cool", "aggressive")}
    assert len(set(genres.values())) >= 3
    assert all(genre in inside(("guitar",)) for genre in genres.values())
