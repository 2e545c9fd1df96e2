from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from seeded_plans import seeded

from tunesmith.composer.genre import MelodyTaste
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.harmony.scales import CHORD_TONE, chord_tone_rank
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
PLAIN = MelodyTaste(density=1.2, leap=0.3, syncopation=0.2, ornament=0.0, motif_bars=2, rest=0.2)
FLUTE = Player("melody", "melody", "flute", "", 76, 0.0)
SEEDS = range(8)


def lead(plan: Plan, seed: int, player: Player = FLUTE) -> tuple[Note, ...]:
    return write_melody(seeded(plan, seed), player)


def in_section(plan: Plan, notes: tuple[Note, ...], index: int) -> list[tuple[float, int]]:
    section = plan.sections[index]
    start = section.bar * plan.beats_per_bar
    end = start + section.bars * plan.beats_per_bar
    return [(note.start - start, note.pitch) for note in notes if start <= note.start < end]


def test_notes_on_first_and_half_beats_are_chord_tones(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    strong = [note for seed in SEEDS for note in lead(plan, seed) if note.start % 2 == 0]
    fitting = [note for note in strong if note.pitch % 12 in plan.chord_at(note.start).chord.pitch_classes]
    assert len(fitting) >= 0.85 * len(strong) > 0


def test_no_long_note_rubs_a_semitone_against_its_chord(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    scale = plan.key.pitch_classes
    for seed in SEEDS:
        for note in lead(plan, seed):
            if note.length >= 2 and note.start % 2 == 0:
                assert chord_tone_rank(plan.chord_at(note.start).chord, scale)[note.pitch] <= CHORD_TONE + 1


@pytest.mark.parametrize("name", ["flute", "tuba", "glockenspiel", "distorted_guitar", "erhu", "violin", "chip_pulse"])
def test_every_note_lies_in_the_instruments_range(make_plan: MakePlan, name: str) -> None:
    player = Player("melody", "melody", name, "", 72, 0.0)
    tool = instrument(name)
    for seed in SEEDS:
        notes = lead(make_plan(player), seed, player)
        assert notes
        assert all(tool.low <= note.pitch <= tool.high for note in notes)


def test_the_line_never_overlaps_and_stays_within_the_piece(make_plan: MakePlan) -> None:
    for meter in ("4/4", "3/4", "6/8", "12/8", "5/4", "7/8"):
        plan = make_plan(FLUTE, meter=meter, melody=PLAIN.model_copy(update={"ornament": 0.8, "density": 1.8}))
        for seed in SEEDS:
            notes = lead(plan, seed)
            assert all(before.end <= after.start + 1e-6 for before, after in pairwise(notes))
            assert notes[0].start >= 0
            assert notes[-1].end <= plan.end + 1e-6
            assert all(note.length > 0 for note in notes)


def test_section_a_comes_back_as_the_same_tune(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    for seed in SEEDS:
        notes = lead(plan, seed)
        first, again = in_section(plan, notes, 0), in_section(plan, notes, 2)
        returning = [time for time, _ in first if time < 28 and time in {other for other, _ in again}]
        steps = [(a[1] - b[1]) for a, b in pairwise(first)]
        later = [(a[1] - b[1]) for a, b in pairwise(again)]
        same = sum(one == two for one, two in zip(steps, later, strict=False))
        assert len(returning) >= 0.9 * len([time for time, _ in first if time < 28])
        assert same >= 0.6 * len(steps)


def test_section_b_is_another_tune_and_lies_higher_on_average(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    higher = 0
    for seed in SEEDS:
        notes = lead(plan, seed)
        a, b = in_section(plan, notes, 0), in_section(plan, notes, 1)
        assert a != b
        higher += sum(pitch for _, pitch in b) / len(b) > sum(pitch for _, pitch in a) / len(a)
    assert higher >= 0.75 * len(SEEDS)


def test_a_seed_always_gives_the_same_tune_and_another_seed_another(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE)
    assert lead(plan, 1) == lead(plan, 1)
    assert len({lead(plan, seed) for seed in SEEDS}) == len(SEEDS)


def test_most_moves_are_steps_and_leaps_are_few(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    moves = [abs(b.pitch - a.pitch) for seed in SEEDS for a, b in pairwise(lead(plan, seed))]
    assert sum(move <= 2 for move in moves) >= 0.5 * len(moves)
    assert sum(move > 7 for move in moves) <= 0.06 * len(moves)


def test_a_motif_is_heard_again_within_its_section(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN)
    for seed in SEEDS:
        bars = [
            tuple(time % 4 for time, _ in in_section(plan, lead(plan, seed), 0) if bar * 4 <= time < bar * 4 + 4)
            for bar in range(8)
        ]
        assert len(set(bars)) < 8


def test_the_piece_ends_at_home_on_the_last_first_beat(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE)
    for seed in SEEDS:
        last = lead(plan, seed)[-1]
        assert last.start == plan.end - 4
        assert last.pitch % 12 in (0, 4, 7)


def test_a_loop_is_not_brought_to_an_end(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, form="loop", sections=(Section("A", 0, 8, 0.5),))
    assert any(lead(plan, seed)[-1].start != plan.end - 4 for seed in SEEDS)


def test_a_player_is_silent_where_the_energy_is_below_its_entry(make_plan: MakePlan) -> None:
    player = Player("melody", "melody", "flute", "", 76, 0.7)
    plan = make_plan(player)
    assert {plan.section_at(note.start).name for note in lead(plan, 1, player)} == {"B"}


def test_a_pentatonic_taste_keeps_to_five_tones_and_the_chords(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, melody=PLAIN.model_copy(update={"scale": "minor pentatonic"}))
    pentatonic = {0, 2, 4, 7, 9}
    for seed in SEEDS:
        for note in lead(plan, seed):
            near = {tone for at in (0.0, 1.0) for tone in plan.chord_at(note.start + at).chord.pitch_classes}
            assert note.pitch % 12 in pentatonic | near


def test_a_denser_taste_gives_more_notes(make_plan: MakePlan) -> None:
    counts = [
        sum(len(lead(make_plan(FLUTE, melody=PLAIN.model_copy(update={"density": density})), seed)) for seed in SEEDS)
        for density in (0.3, 0.8, 1.6)
    ]
    assert counts[0] < counts[1] < counts[2]


def test_a_second_lead_doubles_the_first_by_octaves(make_plan: MakePlan) -> None:
    piccolo = Player("melody_2", "melody", "piccolo", "", 90, 0.7)
    plan = make_plan(FLUTE, piccolo)
    first = lead(plan, 1)
    second = write_melody(replace(plan, written={"melody": first}), piccolo)
    tune = {note.start: note.pitch for note in first}
    assert second
    assert all((note.pitch - tune[note.start]) % 12 == 0 for note in second)
    assert {plan.section_at(note.start).name for note in second} == {"B"}


def test_one_section_drawn_differently_leaves_the_others_theme_as_it_was(make_plan: MakePlan) -> None:
    alone = make_plan(FLUTE, sections=(Section("A", 0, 8, 0.5),), form="loop")
    joined = make_plan(FLUTE, form="loop")
    times = [note.start for note in lead(alone, 3) if note.start < 26]
    assert times == [note.start for note in lead(joined, 3) if note.start < 26]
