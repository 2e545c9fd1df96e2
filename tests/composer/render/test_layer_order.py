"""The order in which parts join: every step is heard, and every intensity that is asked for finds a step of its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from bandstand import full_band
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.composer.render.layer_order import (
    CARRIED,
    different_steps,
    intensity_at,
    joining_steps,
    step_at,
)
from tunesmith.composer.score import Note

COUNTS = st.integers(1, 12)
WANTED = st.lists(st.integers(0, 100), min_size=1, max_size=12, unique=True).map(
    lambda percents: [percent / 100 for percent in sorted(percents)]
)


def test_every_part_joins_once_and_the_first_ones_carry_the_piece() -> None:
    score = full_band(8)
    steps = joining_steps(score)
    names = [part.name for step in steps for part in step]
    assert sorted(names) == sorted(part.name for part in score.parts)
    bars = {int(note.start / 4) for part in steps[0] for note in part.notes}
    assert len(bars) >= CARRIED * score.bars
    assert len(steps) >= len(score.parts) - 1


def test_a_part_that_hardly_plays_is_no_step_of_its_own() -> None:
    score = full_band(20)
    last = joining_steps(score)[-1][-1]
    rare = tuple(replace(p, notes=(Note(0, 1, 60, 90),)) if p.name == last.name else p for p in score.parts)
    assert len(joining_steps(replace(score, parts=rare))) == len(joining_steps(score)) - 1


def test_first_parts_that_leave_holes_are_joined_by_the_next() -> None:
    score = full_band(8)
    first = joining_steps(score)[0][0]
    rare = tuple(replace(p, notes=p.notes[:1]) if p.name == first.name else p for p in score.parts)
    steps = joining_steps(replace(score, parts=rare))
    assert steps[0][0].name == first.name
    assert len(steps[0]) == 2


@given(WANTED, COUNTS)
def test_each_intensity_has_a_step_of_its_own_where_there_are_enough(wanted: list[float], count: int) -> None:
    steps = different_steps(wanted, count)
    assert len(steps) == min(count, len(wanted))
    assert list(steps) == sorted(set(steps) & set(wanted))
    assert all(lower < upper for lower, upper in pairwise(steps.values()))
    assert all(0 <= step < count for step in steps.values())
    assert wanted[-1] in steps
    if count > 1:
        assert wanted[0] in steps


@given(st.integers(0, 100), COUNTS, st.data())
def test_the_intensity_of_a_step_is_one_at_which_it_has_just_joined(
    percent: int, count: int, data: st.DataObject
) -> None:
    step = data.draw(st.integers(0, count - 1))
    at = intensity_at(step, percent / 100, count)
    assert 0 <= at <= 1
    assert step_at(at, count) == step
    own = step_at(percent / 100, count)
    if own == step and abs((percent / 100 * (count - 1)) % 1 - 0.5) > 0.05:
        assert at == percent / 100
