"""The plan of a document, with which the composer's writers write and play its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from tunesmith.composer.brief import Brief, Mood
from tunesmith.composer.genre import BassStyle, ChordStyle, Genre, GenrePart
from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import rng_for, weighted_choice
from tunesmith.composer.score import ChordSpan, Section
from tunesmith.composer.score_file.frame import ScoreFrame
from tunesmith.composer.score_file.part_entry import PartEntry
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.band.choose_band import DEFAULT_STYLES, register_for
from tunesmith.composer.writing.form.casts import with_casts
from tunesmith.composer.writing.harmony.progressions import write_harmony
from tunesmith.composer.writing.harmony.songbook import Setting
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.spans import span_at
from tunesmith.composer.writing.transposition import is_pitched
from tunesmith.request import Form, Hit


@dataclass(frozen=True, slots=True)
class WritingBrief:
    """What all plans of a document share: names, genre, form, and the mood, ending, hits and locks of the brief."""

    title: str
    prompt: str
    genre: Genre
    form: Form
    mood: Mood = field(default_factory=Mood)
    ending: str = ""
    exact_length: bool = True
    hits: tuple[Hit, ...] = ()
    locks: Mapping[str, int] = field(default_factory=dict)


def plan_of(brief: WritingBrief, frame: ScoreFrame, players: tuple[Player, ...], heard: Sequence[Player]) -> Plan:
    """Return the plan of a piece for a frame: who plays when, drawn from its seed, with somebody heard in every bar."""
    whole = Brief(
        prompt=brief.prompt,
        title=brief.title,
        genre=brief.genre.name,
        seed=frame.seed,
        tempo_bpm=frame.tempo_map.changes[0][1] / frame.meter.felt_beat,
        tempo_is_given=True,
        tempo_range=(brief.genre.tempo.low, brief.genre.tempo.high),
        key=frame.key,
        meter=frame.meter,
        duration=frame.duration if brief.exact_length else None,
        bars=None,
        form=brief.form,
        mood=brief.mood,
        ending=brief.ending,
        hits=brief.hits,
        locks=brief.locks,
    )
    chords = _covering(_with_harmony(brief, frame), frame)
    plan = Plan(whole, brief.genre, frame.key, frame.meter, frame.tempo_map, frame.sections, chords, players)
    return with_casts(plan, heard)


def described_player(entry: PartEntry, genre: Genre, seed: int, index: int) -> Player:
    """Return the player of a part: as the document describes it, and else as the genre's player of that role."""
    kin = next((part for part in genre.parts if part.role == entry.role), None)
    said = entry.player
    register = entry.register
    tool = instrument(entry.instrument)
    if register is None:
        register = register_for(entry.role, kin, tool)
    elif is_pitched(tool):
        # Where a person gives the part another instrument, it plays where it can.
        register = min(max(register, tool.low), tool.high)
    style = said["style"] if "style" in said else _style(entry, kin, genre, seed, index)
    return Player(
        name=said.get("name", entry.name),
        role=entry.role,
        instrument=entry.instrument,
        # Every other writer has a habit of its own.
        style=style or DEFAULT_STYLES["bass"] if entry.role == "bass" else style,
        register=register,
        entry=entry.number("entry"),
        voicing=entry.voicing or (kin and kin.voicing) or ("pad" if entry.role == "pad" else "close"),
        rhythm=said.get("rhythm", ""),
        gain_db=entry.number("gain_db"),
        pan=entry.number("pan"),
        echo=entry.echo,
    )


def styles_of(role: str, genre: Genre) -> tuple[str, ...]:
    """Return the styles that a player of a role can have; empty where the role has none."""
    if role in ("drums", "percussion"):
        return tuple(dict.fromkeys(groove.name for groove in genre.grooves))
    if role == "bass":
        return get_args(BassStyle)
    return get_args(ChordStyle) if role in ("chords", "pad", "arpeggio") else ()


def _style(entry: PartEntry, kin: GenrePart | None, genre: Genre, seed: int, index: int) -> str:
    if kin is not None and kin.style:
        return weighted_choice(rng_for(seed, "style", entry.role, index), kin.style)
    if entry.role in ("drums", "percussion"):
        return next((groove.name for groove in genre.grooves if groove.use == "groove"), "")
    return DEFAULT_STYLES.get(entry.role, "")


def _with_harmony(brief: WritingBrief, frame: ScoreFrame) -> tuple[ChordSpan, ...]:
    """Return the chords of the frame; sections that have none get those that the composer writes for them."""
    beats = frame.meter.beats_per_bar
    silent = [one for one in frame.sections if not _inside(frame.chords, one, beats)]
    if not silent:
        return frame.chords
    setting = Setting(brief.genre, frame.key, frame.meter, brief.mood, brief.form == "loop")
    written = write_harmony(setting, frame.sections, brief.locks.get("chords", frame.seed))
    added = [span for one in silent for span in _inside(written, one, beats)]
    return tuple(sorted((*frame.chords, *added), key=lambda span: span.start))


def _inside(spans: Sequence[ChordSpan], section: Section, beats: float) -> list[ChordSpan]:
    start, end = section.bar * beats, (section.bar + section.bars) * beats
    return [span for span in spans if span.start < end - 1e-6 and span.end > start + 1e-6]


def _covering(spans: Sequence[ChordSpan], frame: ScoreFrame) -> tuple[ChordSpan, ...]:
    """Return chords that cover every bar, each within one: writers expect them so."""
    beats = frame.meter.beats_per_bar
    last = frame.sections[-1]
    covering: list[ChordSpan] = []
    for bar in range(last.bar + last.bars):
        start, end = on_grid(bar * beats), on_grid((bar + 1) * beats)
        inside = [span for span in spans if start - 1e-6 <= span.start < end - 1e-6]
        if not inside or inside[0].start > start + 1e-6:
            inside = [replace(span_at(spans, start), start=start), *inside]
        for index, span in enumerate(inside):
            until = inside[index + 1].start if index + 1 < len(inside) else end
            if until > span.start:
                covering.append(replace(span, length=on_grid(until - span.start)))
    return tuple(covering)
