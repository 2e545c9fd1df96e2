"""A brief to change at will, and a plan made by hand so that writers are tested without form and harmony."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.genre import Feel, Genre, Groove, MelodyTaste, load_genre
from tunesmith.composer.score import ChordSpan, Section, TempoMap
from tunesmith.composer.theory import Chord, Key, Meter
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.request import Form, Hit

ABA = (Section("A", 0, 8, 0.5), Section("B", 8, 8, 0.75), Section("A", 16, 8, 0.6))
POP = MelodyTaste(density=1.2, leap=0.3, syncopation=0.2, ornament=0.1, motif_bars=2, rest=0.2)


LOFI = Brief(
    prompt="lofi",
    title="Lofi",
    genre="lofi",
    seed=1,
    tempo_bpm=82.0,
    tempo_is_given=False,
    tempo_range=(68.0, 94.0),
    key=Key(9, "minor"),
    meter=Meter(),
    duration=30.0,
    bars=None,
    form="track",
    mood=Mood(),
)


@pytest.fixture
def brief() -> Callable[..., Brief]:
    """Return a maker of briefs: a lofi track of 30 s, changed as the test needs."""

    def make(**changes: Any) -> Brief:
        return replace(LOFI, **changes)

    return make


def _genre(melody: MelodyTaste, feel: Feel, grooves: tuple[Groove, ...] | None) -> Genre:
    lofi = load_genre("lofi")
    changed = {"melody": melody, "feel": feel, "grooves": lofi.grooves if grooves is None else grooves}
    return lofi.model_copy(update=changed)


def _spans(names: Sequence[str], bars: int, bar: float) -> tuple[ChordSpan, ...]:
    chords = [Chord.parse(name) for name in names]
    sounding = [chords[index % len(chords)] for index in range(bars - 1)] + [chords[0]]
    return tuple(ChordSpan(index * bar, bar, chord) for index, chord in enumerate(sounding))


def small_plan(
    *players: Player,
    key: str = "C major",
    chords: str = "C G Am F C F Dm G",
    meter: str = "4/4",
    tempo_bpm: float = 110.0,
    sections: tuple[Section, ...] = ABA,
    melody: MelodyTaste = POP,
    feel: Feel | None = None,
    grooves: tuple[Groove, ...] | None = None,
    form: Form = "track",
    hits: tuple[Hit, ...] = (),
    seed: int = 1,
) -> Plan:
    """Return the plan: one chord a bar, repeated, the last bar on the first chord."""
    time = Meter.parse(meter)
    bars = sum(section.bars for section in sections)
    brief = Brief(
        prompt="", title="", genre="lofi", seed=seed, tempo_bpm=tempo_bpm, tempo_is_given=True, tempo_range=(60, 180),
        key=Key.parse(key), meter=time, duration=None, bars=bars, form=form, mood=Mood(), hits=hits,
    )  # fmt: skip
    return Plan(
        brief=brief,
        genre=_genre(melody, feel or Feel(), grooves),
        key=brief.key,
        meter=time,
        tempo_map=TempoMap(((0, brief.quarters_per_minute),)),
        sections=sections,
        chords=_spans(chords.split(), bars, time.beats_per_bar),
        players=players,
    )


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Return the maker of hand-made plans."""
    return small_plan
