from __future__ import annotations

from collections.abc import Callable

import pytest

from tunesmith.composer.score import Section
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.transitions import write_effects

MakePlan = Callable[..., Plan]
FORM = (
    Section("A", 0, 8, 0.4),
    Section("build", 8, 4, 0.6),
    Section("drop", 12, 8, 0.95),
    Section("break", 20, 4, 0.3),
)


def placed(make_plan: MakePlan, name: str, sections: tuple[Section, ...] = FORM) -> list[tuple[float, float]]:
    player = Player(name, "effects", name, "", 60, 0.0)
    notes = write_effects(make_plan(player, sections=sections), player)
    return [(note.start, note.end) for note in notes]


@pytest.mark.parametrize("name", ["riser", "reverse_cymbal", "sweep_noise"])
def test_what_leads_in_ends_where_the_big_section_begins(make_plan: MakePlan, name: str) -> None:
    assert 48.0 in [end for _, end in placed(make_plan, name)]
    assert all(end in (32.0, 48.0) for _, end in placed(make_plan, name))


def test_impacts_fall_on_the_first_beat_of_what_is_louder(make_plan: MakePlan) -> None:
    assert [start for start, _ in placed(make_plan, "impact")] == [32.0, 48.0]


def test_a_downlifter_follows_the_fall(make_plan: MakePlan) -> None:
    assert [start for start, _ in placed(make_plan, "downlifter")] == [80.0]


def test_level_music_has_no_transitions(make_plan: MakePlan) -> None:
    level = (Section("A", 0, 8, 0.5), Section("B", 8, 8, 0.55))
    assert not any(placed(make_plan, name, level) for name in ("riser", "impact", "downlifter", "reverse_cymbal"))
