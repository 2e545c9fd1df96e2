"""Times have words around them: the end, a climax, a hit, the length of the whole, and of a part."""

from __future__ import annotations

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.composition import compose
from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest


def read(prompt: str, **flags: object) -> Brief:
    return read_brief(GenerationRequest.checked(prompt=prompt, **{"seed": 1, **flags}))


@pytest.mark.parametrize(
    "prompt",
    [
        "calm background that ends cleanly at 0:45 and has its climax at 0:20",
        "a 45 s track, climax after 20 seconds",
        "a 45 second track with a climax at 20 seconds",
        "45 seconds long, the drop at second 20",
        "20 seconds in the climax, 45 seconds long",
        "música épica con clímax a los 20 segundos, termina en 0:45",
        "una pista de 45 s, el drop a los 20 segundos",
        "ruhige Musik, die bei 0:45 endet, Höhepunkt nach 20 Sekunden",
        "ein 45 Sekunden langes Stück mit Höhepunkt bei 0:20",
        "musique calme qui se termine à 0:45, apogée après 20 secondes",
        "une piste de 45 s, le climax à 0:20",
        "uma faixa de 45 s, clímax aos 20 segundos",
        "música que termina em 0:45 com ápice em 0:20",
        "45秒の曲、20秒でクライマックス",
        "0:45で終わる穏やかな曲、0:20に盛り上がり",
        "45秒的音乐，20秒达到高潮",
        "在0:45结束，高潮在0:20",
    ],
)
def test_an_end_is_the_length_and_a_climax_is_a_hit_in_seven_languages(prompt: str) -> None:
    brief = read(prompt)
    assert brief.duration == 45
    assert [(hit.time, hit.climax) for hit in brief.hits] == [(20, True)]
    assert not brief.tempo_is_given
    assert not any("several" in warning for warning in brief.warnings)


@pytest.mark.parametrize(
    ("prompt", "hits"),
    [
        ("rock, hits at 0:12, 0:20 and 0:42=climax", [(12, False), (20, False), (42, True)]),
        ("60 seconds, climax 10 seconds before the end", [(50, True)]),
        ("30 seconds with a big climax", []),
        ("30 second track, no climax", []),
        ("techno with a big drop 60 seconds", []),
        ("a hit of 30 seconds", []),
        ("at 0:20 the drop", [(20, True)]),
        ("60 seconds with a 3 second fade out", []),
    ],
)
def test_only_what_names_a_moment_is_a_hit(prompt: str, hits: list[tuple[float, bool]]) -> None:
    assert [(hit.time, hit.climax) for hit in read(prompt).hits] == hits


def test_a_climax_leaves_room_after_it_where_no_length_is_given() -> None:
    brief = read("lofi, drop after 40 seconds")
    assert brief.duration is not None
    assert brief.duration > 40


def test_what_cannot_be_met_is_told() -> None:
    assert any("hit: must lie within 0 to 30 s" in warning for warning in read("30 s, peak at 5:00").warnings)
    assert any(
        "'3 second' is the length of a part" in warning
        for warning in read("a minute long with a 3 second fade").warnings
    )


def test_flags_win_over_the_moments_of_a_prompt() -> None:
    brief = read("45 s, climax at 0:20", duration=30, hits=({"time": 12},))
    assert (brief.duration, [hit.time for hit in brief.hits]) == (30, [12])


def test_a_moment_of_the_prompt_that_no_bar_can_meet_gives_way_with_a_warning() -> None:
    request = GenerationRequest(prompt="slow, 40 bpm, hit at 0:01, hit at 0:03, 12 seconds", seed=1)
    assert read_brief(request).hits
    composition = compose(request)
    assert any(warning.startswith("hit: ") and "left out" in warning for warning in composition.warnings)
    assert composition.score.duration == 12
