from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from seeded_plans import seeded

from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.accompaniment.chords import write_chords
from tunesmith.composer.writing.accompaniment.pad import write_pad
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
CHORDS = Player("chords", "chords", "piano", "pulse", 60, 0.0, voicing="open")
PAD = Player("pad", "pad", "warm_pad", "", 60, 0.0, voicing="pad")
LEAD = Player("melody", "melody", "flute", "", 74, 0.0)


def written(make_plan: MakePlan, seed: int) -> tuple[Plan, tuple[Note, ...], tuple[Note, ...]]:
    plan = make_plan(CHORDS, PAD, LEAD, seed=seed)
    chords = write_chords(seeded(plan, seed), CHORDS)
    return plan, chords, write_pad(seeded(replace(plan, written={"chords": chords}), seed), PAD)


def test_a_pad_sounds_little_in_unison_with_the_chords(make_plan: MakePlan) -> None:
    shares = []
    for seed in range(6):
        plan, chords, pad = written(make_plan, seed)
        at = [beat / 2 for beat in range(int(plan.end * 2))]
        both = [
            ({n.pitch for n in chords if n.start <= b < n.end}, {n.pitch for n in pad if n.start <= b < n.end})
            for b in at
        ]
        shares.append(sum(len(c & p) for c, p in both) / sum(len(p) for _, p in both))
    assert sum(shares) / len(shares) < 0.35


def test_a_pad_stays_below_the_lead_and_holds_no_note_for_more_than_two_bars(make_plan: MakePlan) -> None:
    for seed in range(6):
        plan, _, pad = written(make_plan, seed)
        assert max(note.pitch for note in pad) < LEAD.register
        assert max(note.length for note in pad) <= 2 * plan.beats_per_bar


def test_voices_move_one_by_one(make_plan: MakePlan) -> None:
    plan = make_plan(PAD, sections=(Section("A", 0, 8, 0.5),))
    pad = write_pad(plan, PAD)
    starts = sorted({note.start for note in pad})
    together = [sum(note.start == start for note in pad) for start in starts]
    assert min(together) == 1
    assert all(later - earlier >= 1 for earlier, later in pairwise(starts))


@pytest.mark.parametrize("step", [0.5, 1.0, 4.0])
def test_no_low_note_of_a_pad_lies_close_to_the_bass(make_plan: MakePlan, step: float) -> None:
    bass, low = Player("bass", "bass", "contrabass", "", 38, 0.0), replace(PAD, instrument="strings", register=50)
    moved = 0
    for seed in range(6):
        plan = seeded(make_plan(bass, low, seed=seed), seed)
        notes = tuple(
            Note(beat * step, step, 36 + (plan.chord_at(beat * step).chord.bass_pitch_class - 36) % 12, 80)
            for beat in range(int(plan.end / step))
        )
        alone, together = write_pad(plan, low), write_pad(replace(plan, written={"bass": notes}), low)
        moved += alone != together
        for note in together:
            for other in notes:
                if note.pitch < 48 and other.start < note.end - 1e-6 and note.start < other.end - 1e-6:
                    assert not 0 < abs(note.pitch - other.pitch) < 5
    assert moved
