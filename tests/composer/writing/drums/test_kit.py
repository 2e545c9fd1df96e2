from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from seeded_plans import seeded

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.genre import Feel, Groove
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.drums.groove import GENERIC_PATTERNS, bars_of, generic_bars
from tunesmith.composer.writing.drums.kit import write_drums
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
KIT = Player("drums", "drums", "lofi_kit", "dusty", 60, 0.0)


def beats(plan: Plan, notes: tuple[Note, ...], drum: str, bar: int) -> list[float]:
    start = bar * plan.beats_per_bar
    return [
        note.start - start
        for note in notes
        if note.pitch == DRUM_KEYS[drum] and start <= note.start < start + plan.beats_per_bar
    ]


def test_a_plain_bar_is_the_notation(make_plan: MakePlan) -> None:
    plan = make_plan(KIT)
    notes = write_drums(plan, KIT)
    assert beats(plan, notes, "kick", 0) == [0.0, 1.75, 2.5]
    assert beats(plan, notes, "kick", 1) == [0.0, 1.75, 2.5, 3.5]
    assert beats(plan, notes, "snare", 0) == [1.0, 1.75, 3.0]


def test_a_section_ends_with_a_fill(make_plan: MakePlan) -> None:
    for seed in range(6):
        plan = make_plan(KIT, seed=seed)
        notes = write_drums(seeded(plan, seed), KIT)
        assert beats(plan, notes, "snare", 7) == [1.0, 1.75, 2.5, 3.0, 3.5, 3.75]


def test_four_bars_return_as_they_were(make_plan: MakePlan) -> None:
    plan = make_plan(KIT, sections=(Section("A", 0, 12, 0.5), Section("B", 12, 4, 0.5)))
    notes = write_drums(plan, KIT)
    for bar in range(3):
        assert [(n.start % 4, n.pitch) for n in notes if n.start // 4 == bar] == [
            (n.start % 4, n.pitch) for n in notes if n.start // 4 == bar + 4
        ]


def test_without_fills_of_its_own_a_genre_still_fills(make_plan: MakePlan) -> None:
    plain = Groove(
        name="dusty", patterns={"kick": "X.......X.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."}
    )
    for seed in range(12):
        notes = write_drums(make_plan(KIT, grooves=(plain,), seed=seed), KIT)
        first = [(n.start % 4, n.pitch) for n in notes if n.start < 4]
        last = [(n.start % 4, n.pitch) for n in notes if 28 <= n.start < 32]
        assert first != last


@pytest.mark.parametrize("meter", ["2/4", "3/4", "4/4", "5/4"])
def test_a_fill_keeps_to_sixteenths_in_every_simple_meter(make_plan: MakePlan, meter: str) -> None:
    plain = Groove(name="dusty", patterns={"kick": "X...x...", "snare": "..x...x."}, steps=8, meter="2/4")
    for seed in range(6):
        plan = make_plan(KIT, grooves=(plain,), meter=meter, seed=seed)
        assert all(n.start * 4 % 1 == 0 for n in write_drums(seeded(plan, seed), KIT))


def test_a_loud_section_begins_with_a_crash_and_a_soft_one_does_not(make_plan: MakePlan) -> None:
    plan = make_plan(KIT, sections=(Section("A", 0, 4, 0.5), Section("B", 4, 4, 0.9), Section("break", 8, 4, 0.3)))
    notes = write_drums(plan, KIT)
    crashes = [note.start for note in notes if note.pitch == DRUM_KEYS["crash"]]
    assert 16.0 in crashes
    assert 32.0 not in crashes


def test_a_build_is_a_roll_that_grows_and_quickens(make_plan: MakePlan) -> None:
    plan = make_plan(KIT, sections=(Section("A", 0, 4, 0.5), Section("build", 4, 4, 0.6), Section("drop", 8, 8, 0.9)))
    notes = write_drums(plan, KIT)
    roll = [note for note in notes if note.pitch == DRUM_KEYS["snare"] and 16 <= note.start < 32]
    gaps = [after.start - before.start for before, after in pairwise(roll)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == 4 * gaps[-1]
    assert roll[-1].velocity > roll[0].velocity + 30


def test_the_last_bar_is_one_hit_unless_the_piece_loops(make_plan: MakePlan) -> None:
    for form, only_first in (("track", True), ("loop", False)):
        plan = make_plan(KIT, form=form)
        late = [note for note in write_drums(plan, KIT) if note.start > plan.end - 4]
        assert (not late) is only_first


@pytest.mark.parametrize("meter", ["2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "9/8", "12/8", "7/4", "11/8"])
def test_every_meter_has_a_groove_that_fits_its_bar(make_plan: MakePlan, meter: str) -> None:
    plan = make_plan(KIT, meter=meter)
    notes = write_drums(plan, KIT)
    assert {DRUM_KEYS["kick"], DRUM_KEYS["snare"]} <= {note.pitch for note in notes}
    for bar in range(plan.bars):
        assert beats(plan, notes, "kick", bar)[0] == 0.0
    for hits in generic_bars(Meter.parse(meter)):
        assert all(hit.start < Meter.parse(meter).beats_per_bar for hit in hits)


def test_generic_patterns_fill_their_bars() -> None:
    for meter, (steps, patterns) in GENERIC_PATTERNS.items():
        assert {len(text) for text in patterns.values()} == {steps}, meter


def test_a_groove_is_chosen_by_the_energy_of_the_section(make_plan: MakePlan) -> None:
    grooves = (
        Groove(name="soft", patterns={"rim": "X..............."}, energy=(0.0, 0.6)),
        Groove(name="soft_loud", patterns={"snare": "X..............."}, energy=(0.6, 1.0)),
    )
    player = Player("drums", "drums", "lofi_kit", "soft", 60, 0.0)
    plan = make_plan(player, grooves=grooves, feel=Feel(dynamics=0))
    notes = write_drums(plan, player)
    assert beats(plan, notes, "rim", 0) == [0.0]
    assert beats(plan, notes, "snare", 8) == [0.0]


def test_triplet_steps_fall_on_thirds_of_a_beat() -> None:
    groove = Groove(name="shuffle", patterns={"hat": "x.xx.xx.xx.x"}, steps=12)
    (bar,) = bars_of(groove, Meter(4, 4))
    assert [round(hit.start * 3) for hit in bar] == [0, 2, 3, 5, 6, 8, 9, 11]


def test_percussion_follows_its_own_groove_without_crashes(make_plan: MakePlan) -> None:
    player = Player("percussion", "percussion", "lofi_kit", "shaker", 60, 0.0)
    notes = write_drums(make_plan(KIT, player), player)
    assert {note.pitch for note in notes} == {DRUM_KEYS["shaker"]}


def test_a_groove_bent_to_a_compound_meter_keeps_its_backbeat_and_fits() -> None:
    groove = Groove(name="rock", patterns={"kick": "X.......X.......", "snare": "....X.......X..."})
    (bar,) = bars_of(groove, Meter(12, 8))
    assert [hit.start for hit in bar if hit.drum == "snare"] == [1.5, 4.5]
    (short,) = bars_of(groove, Meter(3, 4))
    assert all(hit.start < 3 for hit in short)
    (long,) = bars_of(groove, Meter(5, 4))
    assert [hit.start for hit in long if hit.drum == "kick"] == [0.0, 2.0, 4.0]
