from __future__ import annotations

from collections.abc import Callable

import pytest

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.genre import load_genre
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing import write_score
from tunesmith.composer.writing.form.ritardando import with_ritardando
from tunesmith.composer.writing.form.tempo import FormTimeline, solve_timeline
from tunesmith.request import Hit

Maker = Callable[..., Brief]


def slowed(brief: Brief) -> tuple[FormTimeline, FormTimeline]:
    steady = solve_timeline(brief)
    return steady, with_ritardando(steady, brief, load_genre(brief.genre))


@pytest.mark.parametrize("duration", [40.0, 63.7, 181.0])
def test_only_the_last_bar_before_the_final_chord_slows_and_the_length_stays(brief: Maker, duration: float) -> None:
    steady, slow = slowed(brief(genre="solo_piano", duration=duration))
    start = (steady.bars - 2) * 4
    assert slow.duration == steady.duration
    assert slow.tempo_map.seconds_at(start) == steady.tempo_map.seconds_at(start)
    assert slow.tempo_map.seconds_at(start + 4) > steady.tempo_map.seconds_at(start + 4)
    tempos = [tempo for _, tempo in slow.tempo_map.changes]
    assert tempos == sorted(tempos, reverse=True)
    assert tempos[-1] >= 0.7 * tempos[0]


def test_loops_hits_dances_and_driving_pieces_keep_their_beat(brief: Maker) -> None:
    asked = (
        brief(genre="solo_piano", form="loop"),
        brief(genre="solo_piano", hits=(Hit(time=12.0),)),
        brief(genre="house"),
        brief(genre="solo_piano", mood=Mood(arousal=0.8)),
        brief(genre="solo_piano", ending="fade"),
    )
    for one in asked:
        steady, slow = slowed(one)
        assert slow == steady


@pytest.mark.parametrize("bpm", [71.3, 96.0, 120.0])
def test_the_final_chord_still_rings_at_a_given_tempo(brief: Maker, bpm: float) -> None:
    for duration in (30.0, 31.0, 32.0, 33.0):
        score = write_score(brief(genre="solo_piano", duration=duration, tempo_bpm=bpm, tempo_is_given=True)).score
        landing = score.tempo_map.seconds_at((score.bars - 1) * 4)
        assert duration - landing >= 0.35 * 4 * 60 / bpm


def test_a_slowed_ending_survives_the_document(brief: Maker) -> None:
    for meter in ("4/4", "3/4", "6/8", "5/4"):
        score = write_score(brief(genre="solo_piano", duration=45.0, meter=Meter.parse(meter))).score
        assert len(score.tempo_map.changes) > 1
        assert load_score(dump_score(score)) == score
