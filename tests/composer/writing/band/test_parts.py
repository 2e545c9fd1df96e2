"""The instruments that a prompt names carry the piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.genre import load_genre
from tunesmith.composer.writing.band.choose_band import choose_band
from tunesmith.composer.writing.plan import Player

CALM, LIVELY = Mood(arousal=-0.6), Mood(arousal=0.8)


def band(brief: Brief) -> tuple[Player, ...]:
    return choose_band(brief, load_genre(brief.genre))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["trumpet", "harmonica", "cello", "ukulele", "vibraphone", "clean_guitar"])
@pytest.mark.parametrize("genre", ["folk", "jazz", "pop", "cinematic", "celtic"])
def test_a_named_tune_player_leads(brief: Callable[..., Brief], genre: str, name: str, seed: int) -> None:
    asked = brief(genre=genre, prompt="music", instruments=(name,), seed=seed, mood=CALM)
    assert {player.instrument for player in band(asked) if player.role == "melody"} == {name}


@pytest.mark.parametrize("genre", ["celtic", "country", "folk"])
def test_named_tune_players_of_folk_music_play_together(brief: Callable[..., Brief], genre: str) -> None:
    for seed in range(4):
        players = band(brief(genre=genre, prompt="music", instruments=("flute", "fiddle"), seed=seed))
        registers = {player.instrument: player.register for player in players if player.role == "melody"}
        assert set(registers) == {"flute", "fiddle"}


@pytest.mark.parametrize("seed", range(4))
def test_nobody_unasked_has_a_tune_where_the_mood_is_calm(brief: Callable[..., Brief], seed: int) -> None:
    asked = brief(genre="folk", prompt="music", instruments=("acoustic_guitar", "piano"), seed=seed, mood=CALM)
    players = band(asked)
    tuneful = {player.instrument for player in players if player.role in ("melody", "counter", "arpeggio", "chords")}
    assert tuneful == {"acoustic_guitar", "piano"}
    assert not [player for player in players if player.role in ("drums", "percussion")]


def test_a_lively_piece_keeps_its_band_behind_the_named(brief: Callable[..., Brief]) -> None:
    asked = brief(genre="rock", prompt="music", instruments=("overdriven_guitar",), mood=LIVELY)
    players = band(asked)
    lead = next(player for player in players if player.role == "melody")
    assert {"drums", "bass"} <= {player.role for player in players}
    assert lead.instrument == "overdriven_guitar"
    assert lead.entry == 0


@pytest.mark.parametrize("prompt", ["solo harp, dreamy", "harp alone", "nur Harfe", "ハープのソロ"])
def test_a_solo_is_played_alone(brief: Callable[..., Brief], prompt: str) -> None:
    asked = brief(genre="fantasy", prompt=prompt, instruments=("harp",), mood=CALM)
    assert {player.instrument for player in band(asked)} == {"harp"}


def test_a_guitar_solo_over_a_rock_band_is_not_alone(brief: Callable[..., Brief]) -> None:
    asked = brief(genre="rock", prompt="rock band with a guitar solo", instruments=("distorted_guitar",), mood=LIVELY)
    assert "drums" in {player.role for player in band(asked)}


@pytest.mark.parametrize(("word", "count"), [("duet", 2), ("trio", 3), ("Quartett", 4)])
def test_a_counted_company_has_so_many_players(brief: Callable[..., Brief], word: str, count: int) -> None:
    for seed in range(4):
        asked = brief(genre="jazz", prompt=f"clarinet {word}", instruments=("clarinet",), seed=seed)
        players = band(asked)
        assert len({player.instrument for player in players}) <= count
        assert next(player for player in players if player.role == "melody").instrument == "clarinet"


def test_a_string_quartet_is_two_violins_viola_and_cello(brief: Callable[..., Brief]) -> None:
    asked = brief(genre="classical", prompt="string quartet, sad", instruments=("strings",))
    assert sorted(player.instrument for player in band(asked)) == ["cello", "viola", "violin", "violin"]


def test_the_piano_of_a_piano_trio_leads(brief: Callable[..., Brief]) -> None:
    asked = brief(genre="jazz", prompt="jazz piano trio", instruments=("double_bass", "brush_kit"))
    players = band(asked)
    assert {player.instrument for player in players} == {"piano", "double_bass", "brush_kit"}
    assert "piano" in {player.instrument for player in players if player.role == "melody"}


def test_a_named_guitar_never_just_holds_chords(brief: Callable[..., Brief]) -> None:
    for genre in ("pop", "cinematic", "soul", "folk"):
        asked = brief(genre=genre, prompt="acoustic guitar", instruments=("acoustic_guitar",))
        styles = {p.style for p in band(asked) if p.role == "chords" and p.instrument == "acoustic_guitar"}
        assert styles.isdisjoint({"block", "pulse", "rolled", "hits"})


def test_the_prompt_says_how_the_guitar_is_played(brief: Callable[..., Brief]) -> None:
    for word, style in (("strummed", "strum"), ("fingerpicked", "travis")):
        asked = brief(genre="folk", prompt=f"{word} guitar", instruments=("acoustic_guitar",))
        assert style in {p.style for p in band(asked) if p.role == "chords" and p.instrument == "acoustic_guitar"}


def test_named_players_are_louder_than_they_would_be_unasked(brief: Callable[..., Brief]) -> None:
    plain = {p.instrument: p.gain_db for p in band(brief(genre="metal", prompt="music"))}
    asked = {
        p.instrument: p.gain_db
        for p in band(brief(genre="metal", prompt="music", instruments=("distorted_guitar",), mood=LIVELY))
    }
    assert asked["distorted_guitar"] > plain["distorted_guitar"]
    assert asked["power_kit"] < plain["power_kit"]


@pytest.mark.parametrize("genre", ["disco", "deep_house", "boom_bap"])
def test_the_beat_of_danced_genres_does_not_give_way(brief: Callable[..., Brief], genre: str) -> None:
    plain, asked = (
        {p.role: p.gain_db for p in band(brief(genre=genre, prompt="music", instruments=names, mood=CALM))}
        for names in ((), ("flute",))
    )
    assert asked["drums"] == plain["drums"]


def test_an_electric_piano_is_no_piano(brief: Callable[..., Brief]) -> None:
    for seed in range(6):
        asked = brief(genre="boom_bap", prompt="beat con piano eléctrico", instruments=("electric_piano",), seed=seed)
        assert "piano" not in {p.instrument for p in band(asked)}


@pytest.mark.parametrize(
    ("genre", "named", "makes_it"),
    [("samba", "nylon_guitar", "ukulele"), ("reggae", "organ", "drums"), ("synthwave", "clean_guitar", "synth_arp")],
)
def test_who_makes_a_genre_stays_beside_a_named_player(
    brief: Callable[..., Brief], genre: str, named: str, makes_it: str
) -> None:
    for mood in (CALM, LIVELY):
        players = band(brief(genre=genre, prompt="music", instruments=(named,), mood=mood))
        assert makes_it in {name for player in players for name in (player.instrument, player.role)}


@pytest.mark.parametrize(("genre", "named"), [("dub", "organ"), ("soul", "electric_piano"), ("salsa", "piano")])
def test_a_named_keyboard_of_a_genre_of_the_beat_accompanies(
    brief: Callable[..., Brief], genre: str, named: str
) -> None:
    for seed in range(4):
        players = band(brief(genre=genre, prompt="music", instruments=(named,), seed=seed))
        roles = {player.role for player in players if player.instrument == named}
        assert roles <= {"chords", "pad", "arpeggio"}
        assert "melody" in {player.role for player in players}
    alone = brief(genre=genre, prompt=f"solo {named.replace('_', ' ')}", instruments=(named,))
    assert "melody" in {player.role for player in band(alone)}
