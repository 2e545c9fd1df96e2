"""The tune that a piece has by itself, sung in another mood: each note keeps its beat, and its degree where it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.scales import SCALE_TONE, chord_tone_rank
from tunesmith.composer.writing.melody.pitch_assignment import PitchPreference, Range, harmony_of, metric_weight
from tunesmith.composer.writing.plan import Plan

SAME_DEGREE: Mapping[int, int] = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 8: 9, 9: 8, 10: 11, 11: 10}
"""Semitones above the tonic → the other form of that degree: a minor third is a major one in major."""


@dataclass(frozen=True, slots=True)
class SungNote:
    """A note of the tune as the piece has it by itself: its pitch, and how that fits its chord."""

    pitch: int
    rank: int


def sung_notes(
    plan: Plan, preferences: Sequence[PitchPreference], pitches: Sequence[int], compass: Range
) -> dict[float, SungNote]:
    """Return the notes of a line by their beats, with how they fit the chords of the plan."""
    return {
        one.start: SungNote(pitch, _rank(harmony_of(plan, one.start, one.length), compass.scale, pitch))
        for one, pitch in zip(preferences, pitches, strict=True)
    }


def on_same_degree(pitch: int, before: Key, after: Key) -> int:
    """Return the pitch on the same degree of a key in another mode."""
    above = (pitch - before.tonic) % 12
    here = set(after.scale)
    if above in here or SAME_DEGREE.get(above) not in here:
        return pitch
    return pitch + SAME_DEGREE[above] - above


def within(pitch: int, octaves: int, low: int, high: int) -> int:
    """Return a pitch so many octaves away, or more where it would leave a range."""
    moved = pitch + 12 * octaves
    while moved > high and moved - 12 >= low:
        moved -= 12
    while moved < low and moved + 12 <= high:
        moved += 12
    return min(max(moved, low), high)


def with_every_tone(compass: Range, key: Key) -> Range:
    """Return a range whose scale has every tone of the key, so that a tune can keep its degrees."""
    return replace(compass, scale=tuple(sorted({*compass.scale, *key.pitch_classes})))


def kept_on_degrees(
    plan: Plan, preferences: Sequence[PitchPreference], sung: Mapping[float, SungNote], before: Key, compass: Range
) -> list[PitchPreference]:
    """Return the preferences with the pitches of the tune: fixed where they fit the chord as well as they did."""
    octaves = _octaves(sung, compass)
    return [_kept(plan, one, sung.get(one.start), before, compass, octaves) for one in preferences]


def _kept(
    plan: Plan, one: PitchPreference, note: SungNote | None, before: Key, compass: Range, octaves: int
) -> PitchPreference:
    if note is None:
        return one
    pitch = within(on_same_degree(note.pitch, before, plan.key), octaves, compass.low, compass.high)
    rank = _rank(harmony_of(plan, one.start, one.length), compass.scale, pitch)
    weak = metric_weight(plan, one.start, one.length) != "strong"
    fits = rank <= note.rank or (rank == SCALE_TONE and weak)
    return replace(one, pitch=pitch, fixed=pitch if fits else None)


def _rank(chord: Chord, scale: Sequence[int], pitch: int) -> int:
    return int(chord_tone_rank(chord, scale)[pitch])


def _octaves(sung: Mapping[float, SungNote], compass: Range) -> int:
    """Return by how many octaves the whole tune moves for another instrument."""
    if not sung:
        return 0
    middle = sum(note.pitch for note in sung.values()) / len(sung)
    return round(((compass.low + compass.high) / 2 - middle) / 12)
