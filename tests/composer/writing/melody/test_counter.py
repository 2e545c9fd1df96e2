from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from seeded_plans import seeded

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.melody.counter import write_counter
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
LEAD = Player("melody", "melody", "flute", "", 76, 0.0)
CELLO = Player("counter", "counter", "cello", "", 55, 0.0)


def duet(plan: Plan, seed: int) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    lead = write_melody(seeded(plan, seed), LEAD)
    return lead, write_counter(seeded(replace(plan, written={"melody": lead}), seed), CELLO)


def test_the_counter_line_is_in_range_and_never_overlaps(make_plan: MakePlan) -> None:
    tool = instrument("cello")
    for meter in ("4/4", "3/4", "6/8", "7/8"):
        for seed in range(6):
            _, counter = duet(make_plan(LEAD, CELLO, meter=meter), seed)
            assert counter
            assert all(tool.low <= note.pitch <= tool.high for note in counter)
            assert all(before.end <= after.start + 1e-6 for before, after in pairwise(counter))


def test_it_is_sparser_than_the_lead(make_plan: MakePlan) -> None:
    pairs = [duet(make_plan(LEAD, CELLO), seed) for seed in range(8)]
    assert sum(len(counter) for _, counter in pairs) < 0.8 * sum(len(lead) for lead, _ in pairs)


def test_it_moves_and_never_runs_in_unison_with_the_lead(make_plan: MakePlan) -> None:
    for seed in range(8):
        lead, counter = duet(make_plan(LEAD, CELLO), seed)
        sung = {(note.start, note.pitch) for note in lead}
        assert sum((note.start, note.pitch) in sung for note in counter) <= 1
        assert len({note.pitch for note in counter}) >= 4


def test_without_a_lead_it_still_plays(make_plan: MakePlan) -> None:
    assert write_counter(make_plan(CELLO), CELLO)


def test_it_answers_with_the_head_of_the_leads_hook(make_plan: MakePlan) -> None:
    answered = []
    for seed in range(12):
        lead, counter = duet(make_plan(LEAD, CELLO, sections=(Section("A", 0, 16, 0.6),)), seed)
        head = [note.start for note in lead if note.start < 4 and note.length >= 0.2][:4]
        steps = [round(b - a, 3) for a, b in pairwise(head)][:2]
        heard = [round(b.start - a.start, 3) for a, b in pairwise(counter)]
        answered.append(any(heard[i : i + len(steps)] == steps for i in range(len(heard))))
    assert sum(answered) >= 8
