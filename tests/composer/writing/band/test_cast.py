from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.genre import genre_names, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.means import all_means, limited
from tunesmith.composer.writing import write_score
from tunesmith.composer.writing.band.cast import BRIGHTNESS, NEIGHBOURS, SOLOISTS
from tunesmith.composer.writing.band.choose_band import choose_band
from tunesmith.composer.writing.band.colours import BEDS, DOUBLES, ELECTRONIC_BEDS
from tunesmith.composer.writing.plan import Player

Maker = Callable[..., Brief]
SEEDS = range(10)


def band(brief: Brief) -> tuple[Player, ...]:
    return choose_band(brief, load_genre(brief.genre))


def test_every_name_in_the_tables_is_an_instrument() -> None:
    names = {*NEIGHBOURS, *SOLOISTS, *BRIGHTNESS, *DOUBLES, *BEDS, *ELECTRONIC_BEDS}
    names |= {other for near in NEIGHBOURS.values() for other in near}
    names |= {other for pairs in DOUBLES.values() for other, _ in pairs}
    assert names <= set(instruments())


@pytest.mark.parametrize("genre", ["folk", "pop", "cinematic", "lofi", "country", "corporate"])
def test_ten_seeds_are_not_one_band(brief: Maker, genre: str) -> None:
    bands = {tuple(p.instrument for p in band(brief(genre=genre, prompt="music", seed=seed))) for seed in SEEDS}
    assert len(bands) >= 8


@pytest.mark.parametrize("genre", ["pop", "cinematic", "folk", "corporate"])
def test_tender_music_has_softer_players_than_energetic_music(brief: Maker, genre: str) -> None:
    def brightness(mood: Mood) -> float:
        players = [p for seed in SEEDS for p in band(brief(genre=genre, prompt="music", seed=seed, mood=mood))]
        known = [BRIGHTNESS[p.instrument] for p in players if p.instrument in BRIGHTNESS]
        return sum(known) / len(known)

    assert brightness(Mood(valence=-0.3, arousal=-0.8)) < brightness(Mood(valence=0.6, arousal=0.9)) - 0.15


def test_solo_fiddles_and_harmonicas_lead_background_music_less_often(brief: Maker) -> None:
    loud = {"fiddle", "harmonica", "mandolin"}
    leads = [p.instrument for seed in range(30) for p in band(brief(genre="folk", prompt="sunny road", seed=seed))
             if p.role == "melody"]  # fmt: skip
    assert sum(name in loud for name in leads) < 0.45 * len(leads)


def test_named_instruments_always_play_and_excluded_ones_never(brief: Maker) -> None:
    for genre in ("folk", "pop", "cinematic"):
        for seed in SEEDS:
            wanted = brief(
                genre=genre,
                prompt="x",
                seed=seed,
                instruments=("harmonica", "cello"),
                without=frozenset({"piano", "winds"}),
            )
            played = {player.instrument for player in band(wanted)}
            assert {"harmonica", "cello"} <= played
            assert "piano" not in played
            assert all(instruments()[name].family != "winds" for name in played)


def test_a_bass_stays_a_bass_whatever_the_seed(brief: Maker) -> None:
    for genre in genre_names():
        own = {name for part in load_genre(genre).parts if part.role == "bass" for name in part.instruments}
        families = {instruments()[name].family for name in own}
        for seed in range(3):
            for player in band(brief(genre=genre, prompt="music", seed=seed)):
                if player.role == "bass":
                    assert instruments()[player.instrument].family in families


def test_a_piano_piece_is_played_on_one_piano(brief: Maker) -> None:
    for seed in SEEDS:
        assert len({player.instrument for player in band(brief(genre="solo_piano", prompt="music", seed=seed))}) == 1


@pytest.mark.parametrize("means", ["acoustic", "electronic", "orchestral"])
def test_whoever_joins_a_band_is_within_its_means(brief: Maker, means: str) -> None:
    for genre in ("pop", "cinematic", "folk", "synthwave"):
        for seed in SEEDS:
            asked = brief(genre=genre, prompt="calm piano", seed=seed, means=(means,), mood=Mood(arousal=-0.5))
            own = limited(load_genre(genre), asked.means, seed)
            listed = {name for part in own.parts for name in part.instruments}
            for player in choose_band(asked, own):
                assert player.instrument in listed or all_means()[means].admits(player.instrument, player.role)


def test_a_double_plays_the_notes_of_the_lead_softer_in_whole_octaves(brief: Maker) -> None:
    doubled = 0
    for seed in range(8):
        score = write_score(brief(genre="cinematic", prompt="music", seed=seed, duration=40.0)).score
        leads = [part for part in score.parts if part.role == "melody"]
        # A grace note and the note that it leads to may lie in one sixteenth.
        lead: dict[int, set[int]] = defaultdict(set)
        for note in leads[0].notes if leads else ():
            lead[round(note.start * 4)].add(note.pitch % 12)
        for part in leads[1:]:
            doubled += 1
            assert part.gain_db < leads[0].gain_db
            shared = [note.pitch % 12 in lead[at] for note in part.notes if (at := round(note.start * 4)) in lead]
            assert shared.count(True) >= 0.9 * len(shared) > 0
    assert doubled >= 3


def test_an_instrument_within_the_genres_name_accompanies_too(brief: Maker) -> None:
    calm = Mood(arousal=-0.6)
    for seed in SEEDS:
        players = band(brief(genre="cinematic_piano", prompt="calm piano and strings", seed=seed, mood=calm))
        assert "piano" in {player.instrument for player in players if player.role == "arpeggio"}
