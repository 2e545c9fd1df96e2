"""The lead line: each section's theme over its chords, on one instrument."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.form.drafts import OPENINGS
from tunesmith.composer.writing.harmony.scales import ladder, line_scale
from tunesmith.composer.writing.melody.idioms import Idiom, idiom_of, pitch_range_of
from tunesmith.composer.writing.melody.kept_tune import kept_on_degrees, sung_notes, with_every_tone
from tunesmith.composer.writing.melody.motif import Motif, MotifTaste, Stroke, on_pulses
from tunesmith.composer.writing.melody.ornaments import ornamented
from tunesmith.composer.writing.melody.phrases import PhraseTaste, strokes_of
from tunesmith.composer.writing.melody.pitch_assignment import PitchPreference, Range, metric_weight
from tunesmith.composer.writing.melody.recall import BarMemory, remembered_pitches
from tunesmith.composer.writing.melody.rhythm import RhythmTaste
from tunesmith.composer.writing.melody.themes import ThemeBook, section_units, theme_name
from tunesmith.composer.writing.plan import Plan, Player

# Notes per beat from which a genre wants a tune rather than single notes.
LIVELY_FROM = 0.65
# Notes per second: the fewest that hold a tune together, however slow the beat.
LIVELY_NOTES = 1.25
# A lead faster than this is a blur.
SHORTEST_SECONDS = 0.11
# Densities up to which an idiom plays short notes on the beat only, and on every second beat.
SLOW_IDIOM, SLOWEST_IDIOM = 0.85, 0.5
ACCENTS = {"strong": 8, "medium": 2, "weak": -5}
# How far a section moves from its middle before it turns back.
REACH_SEMITONES = 8


@dataclass(frozen=True, slots=True)
class _Lead:
    """The constants of one player's line; ``own`` is the one that the piece has by itself, where the mood is another.

    ``memory`` has what the line has sung so far.
    """

    plan: Plan
    player: Player
    tool: Instrument
    idiom: Idiom
    compass: Range
    own: _Lead | None = None
    memory: BarMemory = field(default_factory=BarMemory)


def write_melody(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write the lead; a second lead doubles the first at the octave that suits it."""
    leader = _leader(plan, player)
    if leader:
        return _doubled(plan, player, leader)
    lead = _lead(plan, player)
    # Themes draw by their names, so that a longer form leaves the earlier sections as they were.
    book = ThemeBook(plan.brief.seed_of("melody"), plan.meter, _taste(lead), _phrasing(lead))
    notes: list[Note] = []
    for section in _in_order_of_learning(plan, player):
        notes += _section(lead, book, section, plan.visit_of(section))
    return _finished(lead, _landed(lead, sorted(notes, key=lambda note: note.start)))


def _in_order_of_learning(plan: Plan, player: Player) -> list[Section]:
    """Return the player's sections, the intro last: it quotes the theme, which an intro of another length keeps."""
    return sorted(plan.active_sections(player), key=lambda section: section.name in OPENINGS)


def _leader(plan: Plan, player: Player) -> tuple[Note, ...]:
    for other in plan.players:
        if other.role == "melody" and other.name != player.name and plan.written.get(other.name):
            return plan.written[other.name]
    return ()


def _doubled(plan: Plan, player: Player, leader: tuple[Note, ...]) -> tuple[Note, ...]:
    tool = instrument(player.instrument)
    middle = float(np.median([note.pitch for note in leader]))
    shift = 12 * round((min(max(player.register, tool.low + 6), tool.high - 6) - middle) / 12)
    spans = [plan.span_of(section) for section in plan.active_sections(player)]
    doubled = (note for note in leader if any(start <= note.start + 1e-6 < end for start, end in spans))
    # Slides are the leader's own; two at once would beat against each other.
    return tuple(replace(note, pitch=tool.into_range(note.pitch + shift), glide=0) for note in doubled)


def _lead(plan: Plan, player: Player) -> _Lead:
    tool = instrument(player.instrument)
    low, high = pitch_range_of(tool, player.register)
    compass = Range(low, high, line_scale(plan.key, plan.genre), plan.key.tonic)
    lead = _Lead(plan, player, tool, idiom_of(player.instrument), compass)
    own = plan.own_tune
    if own is None:
        return lead
    by_itself = replace(plan, key=own.key, chords=own.chords, own_tune=None)
    scale = compass.scale if own.key == plan.key else with_every_tone(compass, plan.key).scale
    return replace(lead, own=_lead(by_itself, own.player), compass=replace(compass, scale=scale))


def _taste(lead: _Lead) -> MotifTaste:
    taste, plan = lead.plan.genre.melody, lead.plan
    # In beats. By the genre's own tempo, energy and taste alone: another tempo, mood or instrument keeps the hook.
    second = plan.usual_quarters_per_minute / 60
    shortest = 0.5 if _swings_eighths(plan) else 0.25
    # At fast tempos the shortest note doubles, so that the line stays playable.
    while shortest < SHORTEST_SECONDS * second:
        shortest *= 2
    wanted = max(taste.density, LIVELY_NOTES / second) if taste.density >= LIVELY_FROM else taste.density
    arousal = plan.genre.arousal
    density = min(wanted * (1 + 0.15 * arousal), 0.9 / shortest)
    span = 2 + round(2 * taste.leap + arousal + 1)
    return MotifTaste(RhythmTaste(density, taste.syncopation, shortest), taste.leap, span, taste.motif_bars)


def _phrasing(lead: _Lead) -> PhraseTaste:
    own = lead.plan.own_tune
    answered = any(player.role == "counter" for player in lead.plan.players) if own is None else own.answered
    idiom = lead.idiom if lead.own is None else lead.own.idiom
    return PhraseTaste(lead.plan.genre.melody.rest, min(idiom.breath, lead.plan.beats_per_bar / 3), answered)


def _swings_eighths(plan: Plan) -> bool:
    return plan.genre.feel.swing > 0.54 and plan.genre.feel.swing_unit == 8


def _section(lead: _Lead, book: ThemeBook, section: Section, visit: int) -> list[Note]:
    plan, theme = lead.plan, theme_name(section.name)
    preferences = _preferences(lead, book, section, visit)
    pitches = remembered_pitches(plan, preferences, lead.compass, lead.memory)
    base = 66 + 34 * section.energy
    notes: list[Note] = []
    # Bar by bar, keyed by the rhythm: a bar that returns has the same ornaments, until the third visit.
    for bar, group in itertools.groupby(
        zip(preferences, pitches, strict=True), lambda pair: plan.bar_of(pair[0].start)
    ):
        sung = [_note(plan, preference, pitch, base) for preference, pitch in group]
        rhythm = ",".join(f"{note.start - bar * plan.beats_per_bar:.3f}" for note in sung)
        random = rng_for(book.seed, "ornament", theme, visit // 2, rhythm)
        notes += ornamented(plan, sung, lead.idiom, lead.compass, random)
    return notes


def _preferences(lead: _Lead, book: ThemeBook, section: Section, visit: int) -> list[PitchPreference]:
    """Return the pitches that the theme of a section asks for, those of the piece's own tune in another mood."""
    start, end = lead.plan.span_of(section)
    units = [played_by(lead.idiom, unit) for unit in section_units(book, section, visit)]
    strokes = [replace(s, start=s.start + start) for s in strokes_of(tuple(units)) if s.start + start < end - 0.2]
    strokes = [replace(s, length=min(s.length, end - s.start)) for s in strokes]
    theme = theme_name(section.name)
    wanted = _pitch_preferences(lead, theme, book.theme(theme).middle, strokes)
    if lead.own is None:
        return wanted
    own = lead.own
    asked = _preferences(own, book, section, visit)
    sung = sung_notes(own.plan, asked, remembered_pitches(own.plan, asked, own.compass, own.memory), own.compass)
    return kept_on_degrees(lead.plan, wanted, sung, own.plan.key, lead.compass)


def played_by(idiom: Idiom, unit: Motif) -> Motif:
    """Return a unit as the instrument plays it: a slow one plays only those short notes of the hook that are on a beat.

    The hook itself stays, so that another instrument plays the same one.
    """
    if idiom.density > SLOW_IDIOM:
        return unit
    return on_pulses(unit, 1.0 if idiom.density > SLOWEST_IDIOM else 2.0)


def _note(plan: Plan, preference: PitchPreference, pitch: int, base: float) -> Note:
    weight = metric_weight(plan, preference.start, preference.length)
    return Note(preference.start, preference.length, pitch, _velocity(base, weight))


def _velocity(base: float, weight: str) -> int:
    return int(min(max(base + ACCENTS[weight], 1), 127))


def _pitch_preferences(lead: _Lead, theme: str, middle: float, strokes: Iterable[Stroke]) -> list[PitchPreference]:
    """Map steps to pitches around the register, reflected where they would leave the range.

    ``middle`` is the mean step of the theme, so that every theme uses the register evenly wherever its motif starts,
    and returns at the same pitch in every section.
    """
    rungs = ladder(lead.compass.scale)
    anchor = rungs.nearest((lead.compass.low + lead.compass.high) / 2 + LIFTS.get(theme, 0.0))
    limit = round(REACH_SEMITONES * rungs.tones_per_octave / 12)
    preferences = []
    for stroke in strokes:
        step = _reflected(stroke.step - round(middle), limit)
        pitch = min(max(rungs.climb(anchor, step), lead.compass.low), lead.compass.high)
        preferences.append(PitchPreference(on_grid(stroke.start), on_grid(stroke.length), pitch, stroke.close))
    return preferences


def _reflected(step: int, limit: int) -> int:
    """Return a step reflected at the limit, so that a line that climbs too far turns back."""
    over = abs(step) - limit
    if over <= 0:
        return step
    return (limit - min(over, limit)) * (1 if step > 0 else -1)


LIFTS: Mapping[str, float] = {"B": 4.0, "drop": 3.0, "C": 1.0, "bridge": -2.0}
"""Semitones by which a theme lies above the register."""


def _landed(lead: _Lead, notes: list[Note]) -> list[Note]:
    """End on the first beat of the last bar, unless the piece loops or the lead rests by then."""
    plan = lead.plan
    bar = plan.end - plan.beats_per_bar
    if plan.brief.loop or not plan.sections or plan.bars < 2 or not plan.is_playing(lead.player, plan.bars - 1):
        return notes
    kept = [replace(n, length=min(n.length, bar - n.start)) for n in notes if n.start < bar - 0.1]
    before = kept[-1].pitch if kept else (lead.compass.low + lead.compass.high) // 2
    tones = plan.chord_at(bar).chord.pitch_classes
    # In order of finality: tonic, third, fifth.
    homes = [plan.key.tonic, (plan.key.tonic + (3 if plan.key.is_minor else 4)) % 12, (plan.key.tonic + 7) % 12]
    welcome = [tone for tone in homes if tone in tones] or list(tones)
    options = [p for p in range(lead.compass.low, lead.compass.high + 1) if p % 12 in welcome]
    pitch = min(options, key=lambda p: (abs(p - before) + 3 * welcome.index(p % 12), p))
    velocity = int(70 + 34 * plan.sections[-1].energy)
    return [*kept, Note(bar, on_grid(plan.beats_per_bar * 0.9), pitch, velocity)]


def _finished(lead: _Lead, notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return the notes sorted, within the piece, and without overlaps."""
    ordered = sorted((n for n in notes if 0 <= n.start < lead.plan.end), key=lambda note: (note.start, -note.length))
    line: list[Note] = []
    for note in ordered:
        # Two notes closer than a 48th of a beat cannot both be played by one voice.
        if line and note.start - line[-1].start < 1 / 48:
            continue
        if line and line[-1].end > note.start:
            line[-1] = replace(line[-1], length=on_grid(note.start - line[-1].start))
        line.append(replace(note, length=on_grid(min(note.length, lead.plan.end - note.start))))
    return tuple(line)
