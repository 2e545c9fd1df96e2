from __future__ import annotations

from collections.abc import Callable

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.form.tempo import solve_timeline
from tunesmith.errors import InvalidRequest
from tunesmith.request import Hit

Maker = Callable[..., Brief]
DURATIONS = (1.0, 2.5, 5.0, 10.0, 17.3, 30.0, 61.7, 180.0, 600.0, 1800.0)


@pytest.mark.parametrize("duration", DURATIONS)
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "5/4"])
def test_a_free_tempo_stays_in_its_range_and_meets_the_duration(brief: Maker, duration: float, meter: str) -> None:
    asked = brief(duration=duration, meter=Meter.parse(meter))
    timeline = solve_timeline(asked)
    felt = timeline.tempo_map.changes[0][1] / asked.meter.felt_beat
    assert timeline.duration == duration
    assert 68 - 1e-9 <= felt <= 94 + 1e-9
    assert len(timeline.tempo_map.changes) == 1


@pytest.mark.parametrize("duration", DURATIONS)
@pytest.mark.parametrize("bpm", [71.3, 120.0, 174.0])
def test_a_given_tempo_is_kept_and_the_last_chord_rings_for_what_is_left(
    brief: Maker, duration: float, bpm: float
) -> None:
    timeline = solve_timeline(brief(duration=duration, tempo_bpm=bpm, tempo_is_given=True))
    bar = 4 * 60 / bpm
    assert timeline.tempo_map.changes == ((0.0, bpm),)
    ring = duration - (timeline.bars - 1) * bar
    assert ring <= 1.6 * bar + 1e-9
    assert ring >= 0.4 * bar - 1e-9 or timeline.bars == 1


def test_a_loop_is_whole_bars_long_and_says_when_its_tempo_bends(brief: Maker) -> None:
    timeline = solve_timeline(brief(duration=10.0, tempo_bpm=90.0, tempo_is_given=True, form="loop"))
    assert timeline.tempo_map.seconds_at(timeline.bars * 4) == pytest.approx(10.0, abs=1e-9)
    assert timeline.bars == 4
    assert "90" in timeline.warnings[0]


def test_bars_without_a_duration_last_as_long_as_the_tempo_says(brief: Maker) -> None:
    timeline = solve_timeline(brief(duration=None, bars=8, tempo_bpm=120.0, form="loop"))
    assert timeline.duration == 16.0
    assert timeline.bars == 8


@pytest.mark.parametrize("times", [(12.0,), (12.0, 42.0), (7.9, 19.2, 33.3, 51.0), (4.0, 30.0)])
@pytest.mark.parametrize("form", ["track", "loop"])
def test_every_hit_falls_on_a_first_beat(brief: Maker, times: tuple[float, ...], form: str) -> None:
    hits = tuple(Hit(time=time) for time in times)
    timeline = solve_timeline(brief(duration=60.0, hits=hits, form=form))
    for time, hit in zip(times, timeline.hits, strict=True):
        assert timeline.tempo_map.seconds_at(hit.bar * 4) == pytest.approx(time, abs=0.01)


def test_hits_bend_a_given_tempo_by_at_most_four_percent_and_say_so(brief: Maker) -> None:
    asked = brief(duration=60.0, tempo_bpm=100.0, tempo_is_given=True, hits=(Hit(time=21.0),))
    timeline = solve_timeline(asked)
    assert all(96 - 1e-6 <= tempo <= 104 + 1e-6 for _, tempo in timeline.tempo_map.changes)
    assert timeline.warnings


def test_hits_that_are_too_close_are_refused_with_numbers(brief: Maker) -> None:
    with pytest.raises(InvalidRequest, match=r"10\.5 s lies 0\.50 s after"):
        solve_timeline(brief(duration=60.0, hits=(Hit(time=10.0), Hit(time=10.5))))
