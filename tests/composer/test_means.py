from __future__ import annotations

import pytest

from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.means import all_means, limited
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.score import ROLES
from tunesmith.composer.writing import write_score
from tunesmith.request import GenerationRequest

FAMILIES = {load_genre(name).family for name in genre_names()}


@pytest.mark.parametrize("name", all_means())
def test_the_table_names_only_what_exists_and_seats_only_who_may_play(name: str) -> None:
    means = all_means()[name]
    assert means.genres.keys() <= set(genre_names())
    assert means.families.keys() <= FAMILIES
    assert means.players <= instruments().keys()
    assert means.seats.keys() <= set(ROLES)
    assert all(means.admits(player, role) for role, players in means.seats.items() for player in players)
    weights = (*means.genres.values(), *means.families.values())
    assert all(-0.5 <= weight <= 0.5 for weight in weights)


@pytest.mark.parametrize("name", all_means())
def test_a_limited_genre_has_players_inside_only_and_can_still_be_heard(name: str) -> None:
    means = all_means()[name]
    for own in map(load_genre, means.genres):
        genre = limited(own, (name,), seed=3)
        assert all(means.admits(player, part.role) for part in genre.parts for player in part.instruments), own.name
        assert any(part.role in ("melody", "chords", "pad", "arpeggio") for part in genre.parts), own.name
        assert genre == limited(own, (name,), seed=3)


def test_two_means_leave_what_both_admit() -> None:
    genre = limited(load_genre("folk"), ("acoustic", "guitar"), seed=1)
    melody = [player for part in genre.parts if part.role == "melody" for player in part.instruments]
    assert melody
    assert all(instruments()[player].family == "guitar" for player in melody)


def test_no_means_leave_a_genre_as_it_is() -> None:
    assert limited(load_genre("folk"), (), seed=1) is load_genre("folk")


@pytest.mark.parametrize(
    "prompt", ["happy acoustic pop", "electronic lofi", "calm music for strings", "happy a cappella"]
)
def test_the_band_obeys_the_means_and_a_requested_player_plays_all_the_same(prompt: str) -> None:
    brief = read_brief(GenerationRequest(prompt=f"{prompt} with trumpet", seed=2, duration=12))
    means = all_means()[brief.means[0]]
    parts = write_score(brief).score.parts
    assert all(means.admits(part.instrument, part.role) or part.instrument == "trumpet" for part in parts)
    assert any(part.instrument == "trumpet" for part in parts)
