"""A number that may be a wish and is not used gives a warning; one inside a name gives none."""

from __future__ import annotations

import pytest

from tunesmith.composer.prompt import read_brief
from tunesmith.request import GenerationRequest


def warnings_of(prompt: str) -> tuple[str, ...]:
    return read_brief(GenerationRequest.checked(prompt=prompt, genre="pop", seed=1)).warnings


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("calm piano 114", "'114' is not used; write '114 bpm' for a tempo or '114 seconds' for a length"),
        ("calm piano, 114, strings", "'114' is not used"),
        ("114", "'114' is not used"),
        ("ruhiges Klavier\n114\n", "'114' is not used"),
        ("静かなピアノ、114", "'114' is not used"),
        ("techno 128", "'128' is not used"),
        ("calm piano, 320", "'320' is not used; write '320 seconds' for a length"),
        ("calm piano, 9000", "'9000' is not used"),
        ("mood: 7", "'7' is not used"),
        ("music for 2 guitars", "the number in '2 guitars' is not used"),
        ("música para 3 violines", "the number in '3 violines' is not used"),
        ("calm, 4 voices", "the number in '4 voices' is not used"),
        ("calm ambient at -14 dBFS", "the number in '14 dBFS' is not used"),
        ("jazz, bpm: 5", "tempo: must be 20 to 300 bpm, got 5 in the prompt"),
        ("jazz, tempo 400", "tempo: must be 20 to 300 bpm, got 400 in the prompt"),
        ("jazz, bars: 0", "bars: must be 1 to 2000, got 0 in the prompt"),
        ("jazz, duration: 9999", "duration: must be 1 to 1800 s, got 9999 s in the prompt"),
        ("jazz, time signature 17/4", "meter: must be 2 to 15 over 2, 4, 8 or 16, got '17/4' in the prompt"),
        ("jazz in 3/4, then 4/4", "meter: the prompt names several; the first, 3/4, is used"),
        ("10 bars, then 20 bars", "bars: the prompt names several; the last, 20, is used"),
        ("in C minor, then in E minor", "key: the prompt names several; the last, 'E minor', is used"),
    ],
)
def test_a_number_that_is_not_used_is_named(prompt: str, named: str) -> None:
    (warning,) = warnings_of(prompt)
    assert named in warning


@pytest.mark.parametrize(
    "prompt",
    [
        "80s synthwave", "8-bit chiptune", "an 808 and a 909", "in 6/8", "lo-fi 2", "lo-fi hip hop vol. 3",
        "level 3", "24/7 radio", "piano sonata no. 14", "op. 27", "Sonate Nr. 14", "sonate n° 14", "第14番",
        "in 1984", "1999", "1920s jazz", "90s hip hop", "at 5 am", "100 % calm", "100% calm",
        "a train at 200 km/h", "3 friends at a campfire", "a city of 10 million", "area 51",
        "Blade Runner 2049", "mp3, 320kbps", "a 16:9 video", "12-bar blues", "5 piece jazz band",
        "C minor, key: Cm", "tempo 114 (bpm)", "♩ = 96, 4/4", "one piano", "for two guitars and three violins",
        "12 bar blues, 90 bpm, 30 s",
    ],
)  # fmt: skip
def test_a_number_in_a_name_gives_no_warning(prompt: str) -> None:
    assert warnings_of(prompt) == ()
