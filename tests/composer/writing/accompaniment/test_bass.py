from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from tunesmith.composer.genre import BassStyle
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.accompaniment.bass import write_bass
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
STILL = {"pedal", "wobble", "sub"}


def line(plan: Plan, player: Player, first: int, last: int) -> list[tuple[float, int]]:
    notes: tuple[Note, ...] = write_bass(plan, player)
    start, end = first * plan.beats_per_bar, last * plan.beats_per_bar
    return [(note.start - start, note.pitch) for note in notes if start <= note.start < end]


@pytest.mark.parametrize("style", get_args(BassStyle))
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8"])
def test_the_line_moves_and_returns_after_four_bars(make_plan: MakePlan, style: str, meter: str) -> None:
    player = Player("bass", "bass", "finger_bass", style, 38, 0.0)
    plan = make_plan(player, sections=(Section("A", 0, 16, 0.5),), chords="C G Am F", meter=meter)
    assert line(plan, player, 0, 4) == line(plan, player, 4, 8)
    if style not in STILL:
        # Something other than the root sounds somewhere in the cycle.
        assert {pitch % 12 for _, pitch in line(plan, player, 0, 4)} - {0, 7, 9, 5} or len(
            {pitch for _, pitch in line(plan, player, 0, 4)}
        ) > 4


def test_a_walk_arrives_at_the_next_root_by_step(make_plan: MakePlan) -> None:
    player = Player("bass", "bass", "finger_bass", "root_fifth", 38, 0.0)
    plan = make_plan(player, sections=(Section("A", 0, 16, 0.3),), chords="C G Am F")
    notes = line(plan, player, 0, 16)
    walks = 0
    for bar in (3, 7, 11):
        last = [pitch for start, pitch in notes if bar * 4 + 3 <= start < bar * 4 + 4]
        arrival = next(pitch for start, pitch in notes if start == bar * 4 + 4)
        walks += len(last)
        assert 1 <= abs(arrival - last[-1]) <= 2
    assert walks >= 3
