from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from tunesmith.composer.genre import Echo
from tunesmith.composer.score import Note
from tunesmith.composer.writing.performance.echo import echoed
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
PIANO = Player("chords", "chords", "piano", "skank", 60, 0.0, echo=Echo(beats=0.75, repeats=2, decay=0.5))
NOTE = Note(0.5, 0.25, 60, 100)


def test_a_note_returns_softer_at_even_distances(make_plan: MakePlan) -> None:
    played = echoed(make_plan(PIANO), PIANO, (NOTE,))
    assert [(note.start, note.velocity) for note in played] == [(0.5, 100), (1.25, 50), (2.0, 25)]


def test_a_repeat_gives_way_to_a_note_and_no_pitch_overlaps_itself(make_plan: MakePlan) -> None:
    notes = (replace(NOTE, length=2.0), replace(NOTE, start=1.25, velocity=90))
    played = echoed(make_plan(PIANO), PIANO, notes)
    assert [note.velocity for note in played if note.start == 1.25] == [90]
    assert all(before.end <= after.start for before, after in pairwise(played))


def test_two_notes_of_one_pitch_at_one_time_still_sound(make_plan: MakePlan) -> None:
    played = echoed(make_plan(PIANO), PIANO, (NOTE, replace(NOTE, velocity=60)))
    assert all(note.length > 0 for note in played)


@pytest.mark.parametrize("form", ["track", "loop"])
def test_repeats_stay_in_the_piece_and_run_on_at_a_loops_start(make_plan: MakePlan, form: str) -> None:
    plan = make_plan(PIANO, form=form)
    played = echoed(plan, PIANO, (replace(NOTE, start=plan.end - 0.5),))
    assert all(0 <= note.start < note.end <= plan.end for note in played)
    assert [note.start for note in played] == ([0.25, 1.0, plan.end - 0.5] if form == "loop" else [plan.end - 0.5])


def test_one_voice_has_no_echo(make_plan: MakePlan) -> None:
    flute = replace(PIANO, instrument="flute")
    assert echoed(make_plan(flute), flute, (NOTE,)) == (NOTE,)
