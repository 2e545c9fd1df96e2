from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from seeded_plans import seeded

from tunesmith.composer.genre import Feel
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.drums.kit import write_drums
from tunesmith.composer.writing.melody.lead import write_melody
from tunesmith.composer.writing.performance.perform import perform
from tunesmith.composer.writing.performance.swing import swung
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
FLUTE = Player("melody", "melody", "flute", "", 76, 0.0)
KIT = Player("drums", "drums", "lofi_kit", "dusty", 60, 0.0)
GUITAR = Player("chords", "chords", "acoustic_guitar", "strum", 60, 0.0)
STRICT = Feel(timing_ms=0, dynamics=0, legato=1)


@pytest.mark.parametrize("swing", [0.5, 0.58, 0.667])
def test_the_second_of_a_pair_falls_at_the_stated_share(swing: float) -> None:
    assert swung(3.5, swing, 8) == pytest.approx(3 + swing)
    assert swung(3.25, swing, 16) == pytest.approx(3 + swing / 2)
    assert swung(3.0, swing, 8) == swung(3.0, swing, 16) == pytest.approx(3.0)


def test_swing_keeps_order_and_leaves_triplets() -> None:
    times = [index / 24 for index in range(0, 96, 3)]
    assert [swung(time, 0.66, 8) for time in times] == sorted(swung(time, 0.66, 8) for time in times)
    assert swung(1 / 3, 0.6, 8) == pytest.approx(1 / 3)


def test_played_swing_is_the_genres(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, feel=STRICT.model_copy(update={"swing": 0.6, "swing_unit": 8}))
    notes = tuple(Note(index / 2, 0.5, 72, 80) for index in range(16))
    starts = [note.start for note in perform(plan, FLUTE, notes)]
    assert [start % 1 for start in starts[1::2]] == pytest.approx([0.6] * 8, abs=1 / 960)


@pytest.mark.parametrize("player", [FLUTE, KIT], ids=["melody", "drums"])
def test_every_note_is_kept_in_order_on_the_grid_and_in_the_piece(make_plan: MakePlan, player: Player) -> None:
    plan = make_plan(player, feel=Feel(timing_ms=12, laid_back_ms=15, swing=0.6))
    write = write_melody if player is FLUTE else write_drums
    for seed in range(6):
        drawn = seeded(plan, seed)
        written = write(drawn, player)
        played = perform(drawn, player, written)
        assert len(played) == len(written)
        assert sorted(note.pitch for note in played) == sorted(note.pitch for note in written)
        assert [note.start for note in played] == sorted(note.start for note in played)
        for note in played:
            assert note.start == on_grid(note.start)
            assert 0 <= note.start < note.end <= plan.end + 1e-9
            assert 1 <= note.velocity <= 127
        if player is FLUTE:
            assert [note.pitch for note in played] == [note.pitch for note in written]
            assert all(before.end <= after.start + 1e-9 for before, after in pairwise(played))


def test_no_note_strays_further_than_the_feel_allows(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, feel=Feel(timing_ms=8, laid_back_ms=10))
    notes = tuple(Note(beat + 0.5, 0.5, 72, 80) for beat in range(90))
    played = perform(plan, FLUTE, notes)
    late = [
        plan.tempo_map.seconds_at(b.start) - plan.tempo_map.seconds_at(a.start)
        for a, b in zip(notes, played, strict=True)
    ]
    assert max(map(abs, late)) <= 0.008 * 2.5 + 0.010 + 0.001
    assert len({round(shift, 4) for shift in late}) > 20


def test_where_sections_begin_everybody_is_within_ten_milliseconds(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, feel=Feel(timing_ms=30, laid_back_ms=40))
    firsts = tuple(Note(section.bar * 4.0, 1, 72, 80) for section in plan.sections)
    for seed in range(20):
        for before, after in zip(firsts, perform(seeded(plan, seed), FLUTE, firsts), strict=True):
            shift = plan.tempo_map.seconds_at(after.start) - plan.tempo_map.seconds_at(before.start)
            assert abs(shift) <= 0.010


def test_machines_are_exact(make_plan: MakePlan) -> None:
    plan = make_plan(KIT, feel=STRICT)
    written = write_drums(plan, KIT)
    played = perform(plan, KIT, written)
    assert [note.start for note in played] == [note.start for note in sorted(written, key=lambda n: (n.start, n.pitch))]
    assert [note.velocity for note in played] == [
        note.velocity for note in sorted(written, key=lambda n: (n.start, n.pitch))
    ]


def test_the_snare_lies_back_and_the_kick_does_not(make_plan: MakePlan) -> None:
    plan = make_plan(KIT, feel=Feel(timing_ms=0, laid_back_ms=20))
    notes = (Note(1.0, 0.25, 36, 90), Note(1.0, 0.25, 38, 90))
    kick, snare = sorted(perform(plan, KIT, notes), key=lambda note: note.pitch)
    assert kick.start == 1.0
    # By the genre's tempo, so that another tempo keeps the beat.
    seconds = (snare.start - 1.0) * 60 / plan.genre.tempo.typical
    assert seconds == pytest.approx(0.020, abs=0.001)


def test_a_guitar_chord_is_strummed_down_then_up(make_plan: MakePlan) -> None:
    plan = make_plan(GUITAR, feel=Feel(timing_ms=0.001))
    chord = (52, 57, 60, 64)
    notes = tuple(Note(start, 0.5, pitch, 80) for start in (1.0, 1.5) for pitch in chord)
    played = perform(plan, GUITAR, notes)
    down, up = played[:4], played[4:]
    assert [note.pitch for note in down] == sorted(chord)
    assert [note.pitch for note in up] == sorted(chord, reverse=True)
    spread = plan.tempo_map.seconds_at(down[-1].start - down[0].start)
    assert 0.005 <= spread <= 0.035


def test_a_phrase_swells_towards_its_highest_note(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, feel=Feel(timing_ms=0, dynamics=0.05), sections=(Section("A", 0, 8, 0.5),))
    notes = tuple(Note(1 + index, 0.9, pitch, 80) for index, pitch in enumerate((60, 62, 64, 72, 64, 62, 60)))
    played = perform(plan, FLUTE, notes)
    assert played[3].velocity > played[0].velocity
    assert played[3].velocity > played[-1].velocity


def test_the_same_seed_plays_the_same(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE)
    written = write_melody(plan, FLUTE)
    assert perform(plan, FLUTE, written) == perform(plan, FLUTE, written)
    assert perform(plan, FLUTE, written) != perform(seeded(plan, 3), FLUTE, written)


def test_the_top_of_a_chord_stands_out_and_its_middle_stays_back(make_plan: MakePlan) -> None:
    piano = Player("chords", "chords", "piano", "block", 60, 0.0)
    plan = make_plan(piano, feel=Feel(timing_ms=8, dynamics=0.2))
    written = tuple(Note(float(beat), 0.9, pitch, 80) for beat in range(64) for pitch in (48, 55, 60, 64, 67))
    played = perform(plan, piano, written)
    loud = {pitch: [n.velocity for n in played if n.pitch == pitch] for pitch in (48, 60, 67)}
    assert sum(loud[67]) > sum(loud[48]) > sum(loud[60])


def test_no_two_players_place_the_beat_alike(make_plan: MakePlan) -> None:
    plan = make_plan(FLUTE, feel=Feel(timing_ms=12))
    written = tuple(Note(beat + 0.5, 0.5, 72, 80) for beat in range(90))
    means = set()
    for name in ("melody", "chords", "chords_2", "pad"):
        player = Player(name, "chords", "flute", "", 76, 0.0)
        played = perform(plan, player, written)
        means.add(round(sum(b.start - a.start for a, b in zip(written, played, strict=True)) / 90, 4))
    assert len(means) == 4
