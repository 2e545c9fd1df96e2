from __future__ import annotations

import time
import typing
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import BassStyle, ChordStyle, load_genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Score
from tunesmith.composer.theory import Key, Meter
from tunesmith.composer.writing import write_score
from tunesmith.composer.writing.accompaniment.arpeggio import write_arpeggio
from tunesmith.composer.writing.accompaniment.bass import write_bass
from tunesmith.composer.writing.accompaniment.chords import write_chords
from tunesmith.composer.writing.accompaniment.drone import write_drone
from tunesmith.composer.writing.accompaniment.pad import write_pad
from tunesmith.composer.writing.form.sections import build_sections
from tunesmith.composer.writing.form.tempo import solve_timeline
from tunesmith.composer.writing.harmony.progressions import write_harmony
from tunesmith.composer.writing.harmony.songbook import Setting
from tunesmith.composer.writing.plan import Plan, Player, Writer
from tunesmith.errors import InvalidRequest
from tunesmith.request import Hit

Maker = Callable[..., Brief]
METERS = ("4/4", "3/4", "6/8", "5/4", "7/8")


def plan_of(brief: Brief) -> Plan:
    genre, timeline = load_genre(brief.genre), solve_timeline(brief)
    sections = build_sections(brief, genre, timeline)
    setting = Setting(genre, brief.key, brief.meter, brief.mood, brief.loop)
    chords = write_harmony(setting, sections, brief.seed)
    return Plan(brief, genre, brief.key, brief.meter, timeline.tempo_map, sections, chords, ())


def player_of(role: str, name: str, style: str, register: int, *, entry: float = 0.4) -> Player:
    return Player(role, role, name, style, register, entry)


def assert_playable(plan: Plan, player: Player, notes: Sequence[Note]) -> None:
    tool = instrument(player.instrument)
    active = {section.bar for section in plan.active_sections(player)}
    assert notes
    assert list(notes) == sorted(notes, key=lambda note: note.start)
    for note in notes:
        assert tool.low <= note.pitch <= tool.high
        assert 0 <= note.start < note.end <= plan.end + 1e-6
        assert (note.start * 960) % 1 == 0
        assert plan.section_at(note.start).bar in active


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("style", typing.get_args(ChordStyle))
def test_every_chord_style_is_playable(brief: Maker, style: str, meter: str) -> None:
    plan = plan_of(brief(meter=Meter.parse(meter)))
    for name in ("piano", "acoustic_guitar"):
        player = player_of("chords", name, style, 60)
        assert_playable(plan, player, write_chords(plan, player))


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("style", typing.get_args(BassStyle))
def test_every_bass_style_is_playable_and_plays_roots(brief: Maker, style: str, meter: str) -> None:
    plan = plan_of(brief(meter=Meter.parse(meter)))
    player = player_of("bass", "finger_bass", style, 38)
    notes = write_bass(plan, player)
    assert_playable(plan, player, notes)
    for note in notes:
        span = plan.chord_at(note.start)
        if note.start == span.start and style != "pedal":
            assert note.pitch % 12 == span.chord.bass_pitch_class or style in ("tumbao", "reggae")


@pytest.mark.parametrize(
    ("role", "writer", "name"),
    [("pad", write_pad, "warm_pad"), ("arpeggio", write_arpeggio, "harp"), ("drone", write_drone, "drone")],
)
def test_pads_arpeggios_and_drones_are_playable(brief: Maker, role: str, writer: Writer, name: str) -> None:
    plan = plan_of(brief())
    player = player_of(role, name, "", 55)
    assert_playable(plan, player, writer(plan, player))


@pytest.mark.parametrize("form", ["track", "loop", "sting", "bumper", "bed"])
@pytest.mark.parametrize("duration", [1.0, 3.0, 9.5, 30.0, 95.25, 600.0])
@pytest.mark.parametrize("given", [True, False])
def test_every_form_is_exactly_as_long_as_asked(brief: Maker, form: str, duration: float, given: bool) -> None:
    score = write_score(brief(form=form, duration=duration, tempo_is_given=given)).score
    assert score.duration == duration
    assert [section.bar for section in score.sections] == [
        sum(earlier.bars for earlier in score.sections[:index]) for index in range(len(score.sections))
    ]
    assert all(section.bars > 0 for section in score.sections)
    end = score.tempo_map.beat_at(duration)
    assert all(note.end <= end + 1e-6 for part in score.parts for note in part.notes)
    assert sum(span.length for span in score.chords) == pytest.approx(score.bars * 4)


def test_the_same_brief_gives_the_same_score_and_another_seed_another(brief: Maker) -> None:
    assert write_score(brief()) == write_score(brief())
    first, second = (write_score(brief(seed=seed)).score for seed in (1, 2))
    assert first.parts != second.parts
    assert len({write_score(brief(seed=seed)).score.chords for seed in range(6)}) >= 3


def test_a_piece_comes_home(brief: Maker) -> None:
    for seed in range(8):
        for key in (Key(9, "minor"), Key(0, "major"), Key(2, "dorian")):
            score = write_score(brief(seed=seed, key=key)).score
            assert score.chords[-1].chord.root == key.tonic
            assert score.chords[-1].length == 4


def test_a_climax_starts_the_fullest_section_after_a_build(brief: Maker) -> None:
    score = write_score(brief(duration=60.0, hits=(Hit(time=20.0), Hit(time=42.0, climax=True)))).score
    starts = {round(score.tempo_map.seconds_at(section.bar * 4), 2): section for section in score.sections}
    assert {20.0, 42.0} <= set(starts)
    assert starts[42.0].energy == max(section.energy for section in score.sections) == 1.0
    assert score.sections[score.sections.index(starts[42.0]) - 1].name == "build"


def heard(score: Score) -> set[str]:
    return {part.instrument for part in score.parts}


@pytest.mark.parametrize(
    "names", [("violin",), ("harp", "flute"), ("tr808_kit",), ("accordion", "banjo", "cello"), ("timpani",)]
)
def test_asked_instruments_are_heard(brief: Maker, names: tuple[str, ...]) -> None:
    for seed in range(4):
        score = write_score(brief(instruments=names, seed=seed)).score
        assert set(names) <= heard(score)
        assert len({part.name for part in score.parts}) == len(score.parts)


def test_what_is_not_wanted_is_left_out(brief: Maker) -> None:
    roles = {part.role for part in write_score(brief(without=frozenset({"drums"}))).score.parts}
    assert not roles & {"drums", "percussion"}
    score = write_score(brief(without=frozenset({"keys", "vibraphone"}))).score
    assert all(instrument(name).family != "keys" and name != "vibraphone" for name in heard(score))
    with pytest.raises(InvalidRequest, match="leaves no instrument"):
        write_score(brief(without=frozenset({"drums", "bass", "chords", "melody", "pad"})))


def test_no_section_is_silent(brief: Maker) -> None:
    for seed in range(6):
        score = write_score(brief(seed=seed, duration=95.0)).score
        for section in score.sections:
            begin, end = section.bar * 4, (section.bar + section.bars) * 4
            assert any(begin - 0.1 <= note.start < end for part in score.parts for note in part.notes)


def test_layers_enter_with_energy(brief: Maker) -> None:
    plan = plan_of(brief(duration=95.0))
    late = player_of("pad", "warm_pad", "", 60, entry=0.5)
    notes = write_pad(plan, late)
    assert all(plan.section_at(note.start).energy >= 0.5 for note in notes)
    assert write_pad(plan, replace(late, entry=0.0))[0].start == 0


def test_half_an_hour_is_written_quickly(brief: Maker) -> None:
    begin = time.process_time()
    write_score(brief(duration=1800.0))
    assert time.process_time() - begin < 6
