from __future__ import annotations

from itertools import pairwise

import pytest

from tunesmith.composer.rng import rng_for
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.melody.motif import (
    Motif,
    MotifTaste,
    Stroke,
    closed,
    draw_motif,
    fragmented,
    inverted,
    sequenced,
    thinned,
)
from tunesmith.composer.writing.melody.phrases import (
    ANSWERED_PLANS,
    PHRASE_PLANS,
    Draws,
    PhraseTaste,
    draw_theme,
    strokes_of,
)
from tunesmith.composer.writing.melody.rhythm import RhythmTaste

IDEA = Motif((Stroke(0, 1, 0), Stroke(1, 0.5, 1), Stroke(1.5, 0.5, 2), Stroke(2, 2, 4)), 4.0)
TASTE = MotifTaste(RhythmTaste(1.2, 0.2), 0.3, 4, 2)


def steps(motif: Motif) -> list[int]:
    return [stroke.step for stroke in motif.strokes]


def test_a_sequence_keeps_rhythm_and_intervals() -> None:
    assert steps(sequenced(IDEA, 2)) == [2, 3, 4, 6]
    assert [s.start for s in sequenced(IDEA, 2).strokes] == [s.start for s in IDEA.strokes]


def test_inverting_twice_is_the_idea_again() -> None:
    assert steps(inverted(IDEA)) == [0, -1, -2, -4]
    assert inverted(inverted(IDEA)) == IDEA


def test_a_fragment_is_the_head_twice() -> None:
    fragment = fragmented(IDEA, 1)
    assert steps(fragment) == [0, 1, 2, 1, 2, 3]
    assert fragment.beats == IDEA.beats


def test_thinning_keeps_the_time_that_sounds() -> None:
    assert sum(s.length for s in thinned(IDEA, 1.0).strokes) == sum(s.length for s in IDEA.strokes)
    assert len(thinned(IDEA, 1.0).strokes) == 2


def test_a_close_is_the_last_note_and_marked() -> None:
    end = closed(IDEA, 2.0, 3.5, "!").strokes[-1]
    assert (end.start, end.length, end.close) == (2.0, 1.5, "!")


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "5/4", "7/8"])
def test_motifs_and_themes_stay_in_their_bars_without_overlap(meter: str) -> None:
    time = Meter.parse(meter)
    for seed in range(20):
        motif = draw_motif(rng_for(seed, "motif"), time, TASTE)
        assert motif.beats == 2 * time.beats_per_bar
        theme = draw_theme(Draws(seed, "A"), time, TASTE, PhraseTaste(0.3, 0.75))
        line = strokes_of(theme.units)
        assert all(a.end <= b.start + 1e-6 for a, b in pairwise(line))
        assert line[-1].end <= 4 * motif.beats + 1e-6


def test_every_plan_lasts_eight_bars_and_comes_home() -> None:
    for table in (PHRASE_PLANS, ANSWERED_PLANS):
        for bars, plans in table.items():
            for _, plan in plans:
                assert len(plan.split()) * bars == 8
                assert plan.removesuffix(" r").endswith("!")


def test_a_theme_asks_before_it_answers() -> None:
    for seed in range(20):
        theme = draw_theme(Draws(seed, "A"), Meter(4, 4), TASTE, PhraseTaste(0.3, 0.75))
        closes = [stroke.close for stroke in strokes_of(theme.units) if stroke.close]
        assert closes[-1] == "!"
