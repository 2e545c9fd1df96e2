from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from tunesmith.composer.genre import Feel
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.accompaniment.arpeggio import ABOVE_REGISTER, write_arpeggio
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
HARP = Player("arpeggio", "arpeggio", "harp", "arpeggio", 64, 0.0)
VERSE = (Section("A", 0, 12, 0.4),)


def figures(make_plan: MakePlan, seed: int, **changes: object) -> tuple[Plan, tuple[Note, ...]]:
    plan = make_plan(HARP, sections=VERSE, chords="C G Am F", seed=seed, **changes)
    return plan, write_arpeggio(plan, HARP)


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "5/4"])
def test_an_arpeggio_is_one_line_without_gaps_near_its_register(make_plan: MakePlan, meter: str) -> None:
    for seed in range(6):
        plan, notes = figures(make_plan, seed, meter=meter)
        line = [note for note in notes if note.start < plan.end - plan.beats_per_bar]
        assert all(before.end == pytest.approx(after.start) for before, after in pairwise(line))
        assert max(note.pitch for note in line) <= HARP.register + ABOVE_REGISTER
        for note in line:
            assert note.pitch % 12 in plan.key.pitch_classes


def test_four_bars_return_and_the_bars_within_them_differ(make_plan: MakePlan) -> None:
    for seed in range(6):
        _, notes = figures(make_plan, seed)
        bars = [[(n.start % 4, n.pitch) for n in notes if n.start // 4 == bar] for bar in range(8)]
        assert bars[:4] == bars[4:]
        assert len({tuple(bar) for bar in bars[:4]}) == 4


def test_machines_strike_every_step(make_plan: MakePlan) -> None:
    for seed in range(6):
        _, notes = figures(make_plan, seed, feel=Feel(timing_ms=0))
        assert {note.length for note in notes if note.start < 44} == {0.5}
