"""Which instrument plays where the prompt names a family."""

from __future__ import annotations

from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.prompt.instrument_words import played_by, worded_player


def test_a_synthesiser_that_the_prompt_names_is_no_bell() -> None:
    played = {played_by("family", "synth", load_genre(name), seed) for name in genre_names() for seed in range(3)}
    assert "fm_bell" not in played
    assert {instrument(name).family for name in played} == {"synth"}
    assert played_by("instrument", "fm_bell", load_genre("synthwave"), 1) == "fm_bell"


def test_the_electric_guitar_is_the_one_that_leads_in_its_genre() -> None:
    played = {name: {played_by("family", "electric_guitar", load_genre(name), seed) for seed in range(6)}
              for name in ("rock", "metal", "surf_rock", "lofi")}  # fmt: skip
    assert played["rock"] == {"overdriven_guitar", "distorted_guitar"}
    assert played["metal"] == {"distorted_guitar"}
    assert played["surf_rock"] == {"clean_guitar"}


def test_an_organ_in_a_prompt_is_the_genres_own_kind() -> None:
    played = {name: worded_player("instrument", "organ", load_genre(name), 1) for name in ("rock", "house", "reggae")}
    assert played == {"rock": "rock_organ", "house": "house_organ", "reggae": "organ"}
