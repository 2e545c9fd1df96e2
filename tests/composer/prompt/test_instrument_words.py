"""Which instrument plays where the prompt names a family."""

from __future__ import annotations

from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.prompt.instrument_words import played_by


def test_a_synthesiser_that_the_prompt_names_is_no_bell() -> None:
    played = {played_by("family", "synth", load_genre(name), seed) for name in genre_names() for seed in range(3)}
    assert "fm_bell" not in played
    assert {instrument(name).family for name in played} == {"synth"}
    assert played_by("instrument", "fm_bell", load_genre("synthwave"), 1) == "fm_bell"
