from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby, pairwise

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.score import Note, Section
from tunesmith.composer.writing.form.arrangement import arranged
from tunesmith.composer.writing.form.breaks import with_breaks, without_rests
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
Maker = Callable[..., Brief]
FORM = (Section("intro", 0, 4, 0.3), Section("A", 4, 8, 0.5), Section("B", 12, 8, 0.9), Section("outro", 20, 4, 0.3))
BAND = tuple(
    Player(name, name.partition("_")[0], "piano", "", 60, entry)
    for name, entry in (
        ("drums", 0.3), ("percussion", 0.5), ("bass", 0.3), ("chords", 0.0), ("chords_2", 0.4), ("pad", 0.5),
        ("arpeggio", 0.6), ("melody", 0.4), ("counter", 0.6),
    )
)  # fmt: skip


def band_plan(make_plan: MakePlan, seed: int, players: tuple[Player, ...] = BAND, meter: str = "4/4") -> Plan:
    return with_breaks(arranged(make_plan(*players, sections=FORM, meter=meter, seed=seed)))


def casts_of(plan: Plan) -> list[frozenset[str]]:
    return [
        frozenset(player.name for player in plan.players if plan.is_playing(player, bar)) for bar in range(plan.bars)
    ]


def test_somebody_enters_or_leaves_at_least_every_four_bars(make_plan: MakePlan) -> None:
    for seed in range(12):
        runs = [len(list(run)) for _, run in groupby(casts_of(band_plan(make_plan, seed)))]
        assert max(runs) <= 4


def test_a_named_player_never_waits(make_plan: MakePlan) -> None:
    banjo = Player("arpeggio", "arpeggio", "banjo", "", 60, 0.0)
    for seed in range(12):
        plan = make_plan(*BAND[:6], banjo, *BAND[7:], sections=FORM, seed=seed)
        asked = replace(plan, brief=replace(plan.brief, instruments=("banjo",)))
        assert all("arpeggio" in cast.players for cast in arranged(asked).casts)


def test_the_section_with_the_most_energy_ends_with_everyone(make_plan: MakePlan) -> None:
    for seed in range(12):
        casts = casts_of(band_plan(make_plan, seed))
        most = max(len(cast) for cast in casts)
        assert most == len(BAND)
        assert any(len(cast) == most for cast in casts[16:20])
        assert len(casts[0]) < len(casts[4]) < most


def test_no_bar_is_silent_and_every_player_is_heard(make_plan: MakePlan) -> None:
    for seed in range(12):
        casts = casts_of(band_plan(make_plan, seed))
        assert all(casts)
        assert frozenset().union(*casts) == {player.name for player in BAND}


def test_the_lead_announces_its_hook_in_most_intros_and_returns_in_most_endings(make_plan: MakePlan) -> None:
    casts = [casts_of(band_plan(make_plan, seed)) for seed in range(24)]
    assert sum("melody" in cast[3] and "melody" not in cast[0] for cast in casts) >= 12
    assert sum("melody" in cast[20] for cast in casts) >= 12


@pytest.mark.parametrize(("meter", "longest"), [("4/4", 3.0), ("3/4", 2.0), ("6/8", 1.5), ("5/4", 4.0)])
def test_breaks_rest_bass_and_drums_before_a_first_beat_and_leave_the_lead(
    make_plan: MakePlan, meter: str, longest: float
) -> None:
    found = 0
    for seed in range(24):
        plan = band_plan(make_plan, seed, meter=meter)
        for gap in plan.breaks:
            found += 1
            assert {"drums", "bass"} <= gap.players
            assert "melody" not in gap.players
            assert gap.end % plan.beats_per_bar == 0
            assert 0 < gap.end - gap.start <= longest
    assert found >= 24


@pytest.mark.parametrize("step", [1.0, 1.5, 4.0])
@pytest.mark.parametrize("role", ["chords", "pad"])
def test_where_everyone_but_the_lead_stops_a_chord_rings_to_the_next_first_beat(
    make_plan: MakePlan, role: str, step: float
) -> None:
    player = next(one for one in BAND if one.name == role)
    found = 0
    for seed in range(24):
        plan = band_plan(make_plan, seed)
        notes = [Note(number * step, step, 60, 80) for number in range(int(96 / step))]
        played = without_rests(plan, player, notes)
        for gap in plan.breaks:
            if role in gap.players and plan.is_playing(player, int(gap.start / plan.beats_per_bar)):
                found += 1
                ringing = [note for note in played if note.start < gap.end and note.end > gap.start]
                assert max(note.end for note in ringing) == gap.end
                assert not [note for note in played if gap.start < note.start < gap.end]
        for one, other in pairwise(played):
            assert one.end <= other.start + 1e-6
    assert found >= 6


def test_a_bed_and_a_piece_of_a_few_bars_have_no_breaks(make_plan: MakePlan) -> None:
    short = with_breaks(arranged(make_plan(*BAND, sections=(Section("A", 0, 4, 0.9),))))
    bed = with_breaks(arranged(make_plan(*BAND, sections=FORM, form="bed")))
    assert not short.breaks
    assert not bed.breaks


def test_what_sounds_into_a_rest_ends_before_it(make_plan: MakePlan) -> None:
    plan = band_plan(make_plan, 1)
    rests = [cast for cast in plan.casts if "chords_2" not in cast.players]
    held = without_rests(plan, BAND[4], [Note(start, 8.0, 60, 80) for start in range(0, 96, 4)])
    assert rests
    for note in held:
        assert all(note.start >= 4 * (c.bar + c.bars) or note.end <= 4 * c.bar for c in rests)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_small_band_plays_in_every_bar(make_plan: MakePlan, size: int) -> None:
    players = (BAND[3], BAND[7], BAND[2])[:size]
    for seed in range(8):
        plan = band_plan(make_plan, seed, players)
        assert all(casts_of(plan))
