from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tunesmith.composer.score import Section
from tunesmith.composer.writing.accompaniment.voiced_harmony import VoicedHarmony, register_limits, voiced_harmony
from tunesmith.composer.writing.plan import Plan, Player

MakePlan = Callable[..., Plan]
PLAYERS = [
    Player("chords", "chords", "piano", "block", 60, 0.0, voicing="open"),
    Player("chords", "chords", "acoustic_guitar", "strum", 55, 0.0, voicing="open"),
    Player("chords", "chords", "electric_piano", "comp", 60, 0.0, voicing="rootless"),
    Player("pad", "pad", "warm_pad", "", 60, 0.0, voicing="pad"),
    Player("arpeggio", "arpeggio", "harp", "", 67, 0.0),
]
LONG = (Section("A", 0, 8, 0.5), Section("B", 8, 8, 0.7))


def harmonies(make_plan: MakePlan, player: Player, **changes: object) -> Iterator[tuple[Plan, VoicedHarmony]]:
    for seed in range(4):
        plan = make_plan(player, sections=LONG, seed=seed, **changes)
        yield plan, voiced_harmony(plan, player)


@pytest.mark.parametrize("player", PLAYERS, ids=lambda player: str(player.instrument))
@pytest.mark.parametrize("chords", ["C G Am F", "C", "Dm7 G7 Cmaj7 A7 Dm7 G7 C C"])
def test_no_top_note_is_held_for_more_than_two_bars(make_plan: MakePlan, player: Player, chords: str) -> None:
    for plan, harmony in harmonies(make_plan, player, chords=chords):
        since, top = 0.0, -1
        for span in harmony.spans:
            if span.pitches[-1] != top:
                since, top = span.start, span.pitches[-1]
            assert span.end - since <= 2 * plan.beats_per_bar + 1e-6


@pytest.mark.parametrize("meter", ["4/4", "3/4", "5/4", "6/8", "7/8", "12/8"])
def test_the_voicings_cover_the_piece_within_their_limits(make_plan: MakePlan, meter: str) -> None:
    for player in PLAYERS:
        for plan, harmony in harmonies(make_plan, player, meter=meter):
            at = 0.0
            low, high = register_limits(plan, player)
            for span in harmony.spans:
                assert span.start == pytest.approx(at)
                at = span.end
                assert span.pitches == tuple(sorted(set(span.pitches)))
                assert low <= span.pitches[0]
                assert span.pitches[-1] <= high
            assert at == pytest.approx(plan.end)


def test_the_same_chords_return_to_the_note_after_four_bars(make_plan: MakePlan) -> None:
    for player in PLAYERS:
        for _, harmony in harmonies(make_plan, player, chords="C G Am F"):
            first = [(span.start, span.pitches) for span in harmony.spans if span.start < 16]
            second = [(span.start - 16, span.pitches) for span in harmony.spans if 16 <= span.start < 32]
            assert first == second


def test_the_chord_is_heard_when_it_begins(make_plan: MakePlan) -> None:
    for player in PLAYERS:
        for plan, harmony in harmonies(make_plan, player):
            for chord in plan.chords:
                pitches = {pitch % 12 for pitch in harmony.at(chord.start).pitches}
                assert pitches <= {*chord.chord.pitch_classes, chord.chord.bass_pitch_class}


def test_voices_that_move_under_a_chord_stay_in_the_key(make_plan: MakePlan) -> None:
    foreign = 0
    for player in PLAYERS:
        for plan, harmony in harmonies(make_plan, player, chords="C G Am F"):
            for span in harmony.spans:
                outside = {pitch % 12 for pitch in span.pitches} - set(span.chord.pitch_classes)
                assert outside <= set(plan.key.pitch_classes)
                foreign += len(outside)
    assert foreign > 0


def test_room_is_left_for_the_lead(make_plan: MakePlan) -> None:
    lead = Player("melody", "melody", "flute", "", 72, 0.0)
    for player in PLAYERS[:4]:
        plan = make_plan(player, lead)
        assert max(span.pitches[-1] for span in voiced_harmony(plan, player).spans) < lead.register


def test_pianos_and_guitars_have_a_tenor_and_the_second_pianist_has_none(make_plan: MakePlan) -> None:
    for player in PLAYERS[:2]:
        plan = make_plan(player, sections=LONG)
        assert all(40 <= span.pitches[0] <= 52 for span in voiced_harmony(plan, player).spans)
    second = replace(PLAYERS[0], name="chords_2")
    plan = make_plan(PLAYERS[1], second, sections=LONG)
    assert all(len(span.pitches) <= 3 for span in voiced_harmony(plan, second).spans)
