from __future__ import annotations

import json
import time

import budgets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.prompt import lexicon_index as sources
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.prompt.embedding import Anchors, anchor_sentences, anchors, anchors_digest, meaning_of
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.composer.prompt.scene_vectors import near_scenes, scene_sentences, scene_vectors, scenes_digest
from tunesmith.composer.prompt.sentence_encoder import encode
from tunesmith.composer.prompt.text import Prompt, fold, phrase_key
from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.request import GenerationRequest

PIECES = (
    "no without 90 bpm bars minutes 0 99999999 , . : / - # and or with in a minor C# 1:99 3/4 house piano drums half a",
    "ドラム なし 没有 鼓 三 十 分 秒 ohne Klavier sin loop sting like Bob by 8 bit in five",
)
WORDS = [word for words in PIECES for word in words.split()]
MOST_SECONDS = 1.0  # of processor time; 0.1 was measured
PROMPTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))


@budgets.PROMPTS
@given(prompt=PROMPTS, seed=st.integers(0, 2**53 - 1))
def test_any_prompt_gives_a_sound_brief_or_an_error_of_ours(prompt: str, seed: int) -> None:
    try:
        request = GenerationRequest.checked(prompt=prompt, seed=seed)
    except InvalidRequest:
        return
    brief = read_brief(request)
    assert brief == read_brief(request)
    assert brief.genre in genre_names()
    assert set(brief.instruments) <= instruments().keys()
    assert brief.duration is not None or brief.bars is not None
    assert brief.tempo_range[0] <= brief.tempo_bpm <= brief.tempo_range[1]
    assert -1 <= brief.mood.valence <= 1
    assert -1 <= brief.mood.arousal <= 1


@budgets.SCORES
@given(
    prompt=PROMPTS.filter(lambda text: any(c.isalnum() for c in text)),
    tempo=st.integers(30, 250),
    genre=st.sampled_from(genre_names()),
    duration=st.integers(1, 1800),
)
def test_flags_always_win(prompt: str, tempo: int, genre: str, duration: int) -> None:
    try:
        request = GenerationRequest.checked(prompt=prompt, seed=3, tempo_bpm=tempo, genre=genre, duration=duration)
        brief = read_brief(request)
    except TunesmithError:
        return
    assert (brief.tempo_bpm, brief.genre, brief.duration) == (tempo, genre, duration)


@budgets.VALUES
@given(st.text(max_size=80))
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    prompt = Prompt.of(text)
    assert len(fold(prompt.text)) == len(prompt.text)


@pytest.mark.parametrize("name", genre_names())
def test_every_genre_is_found_by_its_name_and_aliases(name: str) -> None:
    genre = load_genre(name)
    known = sources.index()["phrases"]
    for words in genre.aliases.values():
        for word in words:
            # "Sad piano" only joins a mood and a player, which keep their own meanings.
            entries = known.get(phrase_key(word), "means:").split(sources.SEPARATOR)
            means_it = f"genre:{name}" in entries or f"style:{name}" in entries
            # An alias that names only the means, such as "acoustic", leaves the genre open.
            assert means_it or any(entry.startswith(("word:", "means:")) for entry in entries), word


def test_an_alias_of_moods_and_players_does_not_hide_them() -> None:
    assert understand("sad piano, piano and strings").names("instrument") == ("piano",)
    assert understand("sad piano").names("mood") == ("sad",)


def test_a_mood_word_that_a_genre_claims_only_leans_to_it() -> None:
    assert read_brief(GenerationRequest(prompt="spooky piano over slow techno", seed=1)).genre == "techno"


def test_the_tables_name_only_things_that_exist() -> None:
    values = sources.index()["values"]
    assert values["instrument"].keys() <= instruments().keys()
    for family in values["family"].values():
        assert family.get("default", "piano") in instruments()
    families = {row.family for row in instruments().values()}
    assert {name for row in values["family"].values() for name in row.get("from", ())} <= families
    for lent in sources.index()["lends"].values():
        assert set(lent.get("instruments", ())) <= instruments().keys()


def test_the_word_index_is_current() -> None:
    """When this fails, run tools/build_reading_tables.py."""
    built = json.loads(sources.index_path().read_text(encoding="utf-8"))
    assert built == json.loads(json.dumps(sources.build_index()))


def test_the_anchor_vectors_are_current() -> None:
    """When this fails, run tools/build_reading_tables.py."""
    with np.load(sources.index_path().with_name("anchors.npz")) as stored:
        assert str(stored["digest"]) == anchors_digest()
        assert stored["vectors"].shape == (len(anchor_sentences()), 512)
    assert isinstance(anchors(), Anchors)


def test_the_scene_vectors_are_current() -> None:
    """When this fails, run tools/build_reading_tables.py."""
    with np.load(sources.index_path().with_name("scenes.npz")) as stored:
        assert str(stored["digest"]) == scenes_digest()
        assert tuple(stored["names"]) == tuple(name for name, _ in scene_sentences())
    assert np.allclose(np.linalg.norm(scene_vectors().vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("the ghoul crawls out of the mausoleum", "horror"),
        ("der Ghul kriecht aus dem Mausoleum", "horror"),
        ("toddler giggles at a hand puppet", "kids"),
    ],
)
def test_a_scene_that_no_word_names_is_found_by_meaning(text: str, genre: str) -> None:
    near = near_scenes(encode([text])[0])
    assert max(near.genres, key=lambda name: near.genres[name]) == genre
    assert near.similarity > 0.35


def test_meaning_knows_bright_from_dark_and_calm_from_driving() -> None:
    party, grief = meaning_of("a wild wedding party with laughing friends").mood, meaning_of("tears at a grave").mood
    assert party.valence > grief.valence
    assert party.arousal > grief.arousal


@pytest.mark.parametrize(
    "part", ["1 ", "3-4 ", "no: ", "1/1 ", "90s ", "time 3/4 ", "key : ", "は", "1分の", "meter" + " " * 300]
)
def test_the_longest_prompt_is_read_in_time_whatever_it_repeats(part: str) -> None:
    start = time.process_time()
    understand((part * 2_000)[:2_000])
    assert time.process_time() - start < MOST_SECONDS
