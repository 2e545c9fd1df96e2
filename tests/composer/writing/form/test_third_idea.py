"""What sets the third idea of a long piece apart: another key, or drums in half time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from seeded_plans import seeded

from tunesmith.composer.brief import Reason
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.form.half_time import half_timed
from tunesmith.composer.writing.form.modulation import modulated, modulation_of
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
FORM = (Section("A", 0, 8, 0.5), Section("C", 8, 8, 0.5), Section("B", 16, 8, 0.9))
FLUTE = Player("melody", "melody", "flute", "", 76, 0.0)
DRUMS = Player("drums", "drums", "standard_kit", "", 60, 0.0)


def planned(make_plan: MakePlan, seed: int, family: str = "pop", **changes: Any) -> Plan:
    plan = make_plan(FLUTE, DRUMS, sections=FORM)
    genre = plan.genre.model_copy(update={"family": family})
    return replace(plan, genre=genre, brief=replace(plan.brief, seed=seed, **changes))


def test_the_third_idea_moves_to_another_key_and_comes_home_in_its_last_bar(make_plan: MakePlan) -> None:
    found = 0
    for seed in range(8):
        plan = planned(make_plan, seed)
        tune = write_melody(seeded(plan, seed), FLUTE)
        shift = modulation_of(plan)
        moved, notes = modulated(plan, {"melody": tune, "drums": ()})
        found += shift != 0
        for before, after in zip(plan.chords, moved.chords, strict=True):
            away = shift if 32 <= before.start < 60 else 0
            assert after.chord.root == (before.chord.root + away) % 12
        assert moved.chords[-1] == plan.chords[-1]
        tool = instrument("flute")
        assert all(tool.low <= note.pitch <= tool.high for note in notes["melody"])
        assert [n.start for n in notes["melody"]] == [n.start for n in tune]
        assert [n for n in notes["melody"] if n.start < 32] == [n for n in tune if n.start < 32]
    assert 2 <= found <= 7


def test_a_requested_key_and_genres_of_one_key_are_kept(make_plan: MakePlan) -> None:
    asked = (Reason("key", "C major", "prompt", "named"),)
    assert all(modulation_of(planned(make_plan, seed, reasons=asked)) == 0 for seed in range(12))
    assert all(modulation_of(planned(make_plan, seed, family="electronic")) == 0 for seed in range(12))


def test_half_time_has_one_backbeat_a_bar(make_plan: MakePlan) -> None:
    beat = tuple(
        Note(bar * 4 + at, 0.2, pitch, 90)
        for bar in range(24)
        for at, pitch in ((0.0, 36), (1.0, 38), (2.0, 36), (3.0, 38))
    )
    halved = 0
    for seed in range(16):
        played = half_timed(planned(make_plan, seed), DRUMS, beat)
        if played == beat:
            continue
        halved += 1
        for bar in range(8, 16):
            assert [n.start % 4 for n in played if n.pitch == 38 and n.start // 4 == bar] == [2.0]
        assert [n for n in played if n.start < 32] == [n for n in beat if n.start < 32]
    assert 2 <= halved <= 12
