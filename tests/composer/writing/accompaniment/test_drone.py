"""Laws of drones: the tonic, but under a bass that plays too the roots of the chords."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunesmith.composer.writing.accompaniment.drone import LOWEST_WITH_FIFTH, write_drone
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
BASS = Player("bass", "bass", "wobble_bass", "", 33, 0.0)


def drone(name: str, register: int) -> Player:
    return Player("drone", "drone", name, "", register, 0.0)


@pytest.mark.parametrize(("name", "register"), [("cello", 55), ("sub_bass", 30)])
def test_alone_a_drone_holds_the_tonic(make_plan: MakePlan, name: str, register: int) -> None:
    plan = make_plan(drone(name, register))
    notes = write_drone(plan, plan.players[0])
    assert min(note.pitch for note in notes) % 12 == plan.key.tonic
    assert {note.pitch % 12 for note in notes} <= {plan.key.tonic, (plan.key.tonic + 7) % 12}


def test_under_a_bass_it_has_the_roots_and_higher_up_the_tonic(make_plan: MakePlan) -> None:
    plan = make_plan(BASS, drone("sub_bass", 30))
    notes = write_drone(plan, plan.players[1])
    assert [note.pitch % 12 for note in notes] == [span.chord.bass_pitch_class for span in plan.chords]
    assert all(note.pitch < LOWEST_WITH_FIFTH for note in notes)
    plan = make_plan(BASS, drone("cello", 55))
    assert write_drone(plan, plan.players[1])[0].pitch % 12 == plan.key.tonic
