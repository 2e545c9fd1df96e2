"""A climax that lands: a thinned-out build before it, everyone and the widest register at it, a release after it.

A piece without a climax keeps every note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Part, Section, TempoMap
from tunesmith.composer.writing.form.drafts import CLOSINGS
from tunesmith.composer.writing.plan import Cast, Plan, Player

BUILD_BARS = 4
# A peak lasts four bars, or eight where four are over sooner.
PEAK_BARS, SHORTEST_PEAK_SECONDS = 4, 6.5
RELEASED_ENERGY = 0.6
RHYTHM = frozenset({"drums", "percussion"})
# The share of the players of the harmony who play in the first half of a build, and how many at least.
FEW_SHARE, FEW = 0.5, 2
# A piece with a climax is this much softer than the genre's others: at their loudness a limiter would level it.
HEADROOM_LU = 4.0
# How hard players play, relative to what is written: long before a peak, at the start and the end of its build, at it,
# just after it, and from four bars later on.
BEFORE, BUILD_START, BUILD_END, PEAK, AFTER, LATER = 0.8, 0.56, 0.72, 1.08, 0.82, 0.74
# A beat of anticipation belongs to the bar that it anticipates.
EARLY_BEATS = 0.25
OCTAVE = 12
# How far a lead may be raised and a bass lowered, as MIDI pitches: A6, beyond which it turns shrill, and D1.
HIGHEST_LEAD, LOWEST_BASS = 93, 26
# Where a build has more than this share of the players, they play softer by this factor, as none are left to enter.
FULL_BUILD, SOFTER = 0.6, 0.84


def usual_loudness(brief: Brief, genre: Genre) -> float:
    """Return the loudness in LUFS of a piece for which none is asked."""
    climaxes = brief.form != "bed" and any(hit.climax for hit in brief.hits)
    return genre.mix.loudness_lufs - (HEADROOM_LU if climaxes else 0.0)


def peaks_of(brief: Brief, tempo_map: TempoMap, bars: int) -> dict[int, int]:
    """Return the bar at which each peak of a piece of ``bars`` bars begins, in order, and how many bars it lasts."""
    if brief.form == "bed":
        return {}
    beats = brief.meter.beats_per_bar
    climaxes = sorted(round(tempo_map.beat_at(hit.time) / beats) for hit in brief.hits if hit.climax)
    return {bar: peak_bars(tempo_map, beats, bar) for bar in climaxes if bar < bars}


def peak_bars(tempo_map: TempoMap, beats_per_bar: float, bar: int) -> int:
    """Return how many bars the peak that begins at ``bar`` lasts."""
    start, end = (tempo_map.seconds_at(at * beats_per_bar) for at in (bar, bar + PEAK_BARS))
    return PEAK_BARS if end - start >= SHORTEST_PEAK_SECONDS else 2 * PEAK_BARS


def with_release(sections: Sequence[Section], peaks: dict[int, int]) -> tuple[Section, ...]:
    """End the section at each peak (bar → bars) with the peak, and let what follows have less energy."""
    result: list[Section] = []
    peaked = False
    for section in sections:
        bars = peaks.get(section.bar)
        if bars is None:
            is_released = peaked and section.name not in ("build", *CLOSINGS)
            result.append(replace(section, energy=min(section.energy, RELEASED_ENERGY)) if is_released else section)
            continue
        peaked = True
        rest = section.bars - bars
        # A rest of one or two bars is no section of its own.
        if rest < BUILD_BARS / 2 or section.name in CLOSINGS:
            result.append(section)
            continue
        result.append(replace(section, bars=bars))
        result.append(Section("A", section.bar + bars, rest, RELEASED_ENERGY))
    return tuple(result)


def with_climax_cast(plan: Plan) -> Plan:
    """Return the plan with few players in the build before each climax, and everyone while it lasts."""
    peaks = peaks_of(plan.brief, plan.tempo_map, plan.bars)
    if not peaks or not plan.casts:
        return plan
    names = [cast.players for cast in plan.casts for _ in range(cast.bars)]
    everyone = frozenset(player.name for player in plan.players)
    first, later = _building(plan)
    for bar, bars in peaks.items():
        for at in range(max(0, bar - BUILD_BARS), bar):
            names[at] = later if at >= bar - BUILD_BARS // 2 else first
        for at in range(bar, min(bar + bars, len(names))):
            names[at] = everyone
    return replace(plan, casts=tuple(Cast(bar, 1, players) for bar, players in enumerate(names)))


def _building(plan: Plan) -> tuple[frozenset[str], frozenset[str]]:
    """Return who plays in the first and in the second half of a build; effects and drums' rolls lead to the peak."""
    lead = plan.first_player("melody")
    others = [p for p in plan.players if p.role not in (*RHYTHM, "bass", "effects", "melody", "counter")]
    steady = sorted(others, key=lambda player: player.entry)
    count = max(FEW, round(FEW_SHARE * len(steady)))
    few: list[Player] = [*steady[:count], *([lead] if lead is not None else [])] or list(plan.players[:1])
    effects = [player for player in plan.players if player.role == "effects"]
    rhythm = [player for player in plan.players if player.role in RHYTHM]
    more = [*few, *rhythm[:1], *steady[count : count + 1]]
    return frozenset(p.name for p in (*few, *effects)), frozenset(p.name for p in (*more, *effects))


def with_climax_dynamics(plan: Plan, part: Part) -> Part:
    """Return a part as played with a crescendo to each climax, its full force, and less after it."""
    peaks = peaks_of(plan.brief, plan.tempo_map, plan.bars)
    if not peaks:
        return part
    later = _building(plan)[1]
    softer = SOFTER if len(later) > FULL_BUILD * len(plan.players) else 1.0
    points = sorted(_curve(peaks, softer))
    bars, forces = np.array([bar for bar, _ in points]), np.array([force for _, force in points])
    raised = _in_wide_register(plan, peaks, part)
    played = (note.struck(float(np.interp(_bar(plan, note), bars, forces))) for note in raised.notes)
    return replace(part, notes=tuple(played))


def _curve(peaks: dict[int, int], softer: float) -> Iterator[tuple[float, float]]:
    """Yield (bar, force) at the bends of the dynamics; builds are ``softer`` by that factor."""
    last = float("-inf")
    for bar, bars in peaks.items():
        build = max(bar - BUILD_BARS, last)
        if build > last:
            yield from ((build - 0.01, BEFORE), (build, softer * BUILD_START))
        yield from ((bar - 0.01, softer * BUILD_END), (bar, PEAK), (bar + bars - 0.01, PEAK), (bar + bars, AFTER))
        last = bar + bars + 0.01
        yield bar + bars + BUILD_BARS, LATER


def _bar(plan: Plan, note: Note) -> float:
    return (note.start + EARLY_BEATS) / plan.beats_per_bar


def _in_wide_register(plan: Plan, peaks: dict[int, int], part: Part) -> Part:
    """Return a lead an octave higher at the peaks where its instrument allows it, a bass an octave lower."""
    if part.role not in ("melody", "bass"):
        return part
    step = OCTAVE if part.role == "melody" else -OCTAVE
    played = instrument(part.instrument)
    notes = list(part.notes)
    for bar, bars in peaks.items():
        inside = [at for at, note in enumerate(notes) if bar <= _bar(plan, note) < bar + bars]
        pitches = [notes[at].pitch + step for at in inside]
        low, high = max(played.low, LOWEST_BASS), min(played.high, HIGHEST_LEAD)
        if pitches and low <= min(pitches) and max(pitches) <= high:
            for at in inside:
                notes[at] = replace(notes[at], pitch=notes[at].pitch + step)
    return replace(part, notes=tuple(notes))
