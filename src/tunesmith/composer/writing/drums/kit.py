"""Drum and percussion parts: the genre's grooves over the whole form, with fills, build-ups and a last hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.drums.fills import fill_bar, roll_up, small_fill
from tunesmith.composer.writing.drums.groove import (
    HIT_LENGTH,
    Bar,
    DrumHit,
    bars_of,
    choose_groove,
    generic_bars,
    unique,
)
from tunesmith.composer.writing.drums.variation import varied, with_ghosts
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import CYCLE_BARS

# Bars between small fills, and between big ones.
FILL_EVERY = 4
PHRASE_BARS = 8
GHOSTS_FROM = 0.55
# How strong the crash inside a section is beside that at its start.
SOFT_CRASH = 0.6
THINNED: Mapping[str, frozenset[str]] = {
    "intro": frozenset({"kick", "hat", "rim", "shaker", "ride", "brush_swirl", "taiko", "timpani", "clap"}),
    "break": frozenset({"hat", "rim", "shaker", "ride", "open_hat", "brush_swirl", "pedal_hat", "kick"}),
}
"""Sections in which a kit plays only some of its drums, where the energy is low."""
THIN_BELOW = 0.4
CRASH_FROM = 0.55
KIT_DRUMS = frozenset({"snare", "clap", "kick"})


@dataclass(frozen=True, slots=True)
class _Drummer:
    plan: Plan
    player: Player
    # True for the kit, which plays fills and crashes; false for a shaker beside it.
    leads: bool

    def draws(self, section: Section, purpose: str, bar: int) -> np.random.Generator:
        """Return the generator of a decision; the same for the same bar of each four-bar cycle."""
        place = bar % CYCLE_BARS
        return self.plan.brief.rng("groove", "drums", self.player.name, section.name, purpose, place)


def write_drums(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write a kit (role drums) or a percussionist (role percussion) with the groove that the player's style names."""
    drummer = _Drummer(plan, player, _leads(plan, player))
    notes: list[Note] = []
    active = list(plan.active_sections(player))
    for section in active:
        following = _following(plan, section)
        bars = _section(drummer, section, following)
        for index, bar in enumerate(bars):
            notes += _notes(bar, (section.bar + index) * plan.beats_per_bar)
    if active and active[-1] is plan.sections[-1] and not plan.brief.loop:
        notes = _last_hit(drummer, notes)
    inside = (replace(note, length=min(note.length, plan.end - note.start)) for note in notes if note.start < plan.end)
    return tuple(sorted(inside, key=lambda note: (note.start, note.pitch)))


def _leads(plan: Plan, player: Player) -> bool:
    """Return whether the player is the band's drummer: the kit, or without one the first percussionist."""
    if player.role == "drums":
        return True
    beaters = [other for other in plan.players if other.role in ("drums", "percussion")]
    return bool(beaters) and all(other.role != "drums" for other in beaters) and beaters[0].name == player.name


def _following(plan: Plan, section: Section) -> Section | None:
    index = plan.sections.index(section) + 1
    if index < len(plan.sections):
        return plan.sections[index]
    # A loop's last section leads into its first one.
    return plan.sections[0] if plan.brief.loop else None


def _notes(bar: Bar, start: float) -> list[Note]:
    return [Note(on_grid(start + hit.start), HIT_LENGTH, hit.key, hit.velocity) for hit in bar]


def _section(drummer: _Drummer, section: Section, following: Section | None) -> list[Bar]:
    plan = drummer.plan
    pattern = _pattern(drummer, section)
    bars = [pattern[index % len(pattern)] for index in range(section.bars)]
    if drummer.leads and section.energy >= GHOSTS_FROM:
        bars = [with_ghosts(bar, plan, drummer.player.name) for bar in bars]
    bars = [
        varied(bar, index, drummer.draws(section, "variation", index), plan.meter) for index, bar in enumerate(bars)
    ]
    if section.energy < THIN_BELOW:
        bars = [_thinned(bar, section.name) for bar in bars]
    # Only one player may fill and crash; two at once would collide.
    if not drummer.leads:
        return [_scaled(bar, section.energy) for bar in bars]
    if section.name == "build":
        return _build_up(drummer, bars)
    bars = _filled(drummer, section, following, bars)
    bars = [_scaled(bar, section.energy) for bar in bars]
    # A crash marks the start of a section and of each phrase; a kit without cymbals has none.
    if section.energy >= CRASH_FROM and section.name != "break":
        for index in range(0, section.bars, PHRASE_BARS):
            if section.bar + index > 0 and _has_cymbals(bars[index]):
                bars[index] = _crashed(bars[index], section.energy if index == 0 else section.energy * SOFT_CRASH)
    return bars


def _filled(drummer: _Drummer, section: Section, following: Section | None, bars: list[Bar]) -> list[Bar]:
    """Put a small fill into every fourth bar, a big one into every eighth, the biggest before the next section."""
    plan, result = drummer.plan, list(bars)
    last = section.bars - 1
    for index in range(FILL_EVERY - 1, section.bars, FILL_EVERY):
        if index == last:
            continue
        if index % PHRASE_BARS == PHRASE_BARS - 1:
            result[index] = fill_bar(
                drummer.draws(section, "fill", 0), bars[index], (), plan.meter, section.energy * 0.8
            )
        else:
            result[index] = small_fill(drummer.draws(section, "small fill", 0), bars[index], plan.meter)
    if following is not None and section.bars > 1:
        result[-1] = _section_end(drummer, bars[-1], section, following)
    return result


def _pattern(drummer: _Drummer, section: Section) -> tuple[Bar, ...]:
    """Return the bars of the groove for this section."""
    plan, player = drummer.plan, drummer.player
    special = [groove for groove in plan.genre.grooves
               if groove.use == section.name and groove.meter == str(plan.meter)]  # fmt: skip
    if special and drummer.leads:
        return bars_of(special[0], plan.meter)
    groove = choose_groove(plan.genre.grooves, _styles(plan, player), plan.meter, section.energy)
    return generic_bars(plan.meter) if groove is None else bars_of(groove, plan.meter)


def _styles(plan: Plan, player: Player) -> tuple[str, ...]:
    """Return the player's style, then the others that the genre gives to such a player."""
    others = [part.style for part in plan.genre.parts if part.role == player.role and player.style in part.style]
    return (player.style, *(style for style in (others[0] if others else ()) if style != player.style))


def _thinned(bar: Bar, name: str) -> Bar:
    kept = THINNED.get(name)
    if kept is None or not {hit.drum for hit in bar} & KIT_DRUMS:
        return bar
    return tuple(hit for hit in bar if hit.drum in kept) or bar


def _build_up(drummer: _Drummer, bars: list[Bar]) -> list[Bar]:
    """Let the groove drop out under a roll that grows into the next section."""
    rolls = roll_up(len(bars), drummer.plan.meter, {hit.drum for bar in bars for hit in bar})
    half = len(bars) // 2
    kicks = [tuple(hit for hit in bar if hit.drum == "kick") for bar in bars]
    return [unique([*(kicks[i] if i < max(half, 1) else ()), *rolls[i]]) for i in range(len(bars))]


def _section_end(drummer: _Drummer, bar: Bar, section: Section, following: Section) -> Bar:
    # No fill before a section in which the drummer rests.
    if not bar or following.energy < drummer.player.entry:
        return bar
    fills = [groove for groove in drummer.plan.genre.grooves if groove.use == "fill"]
    energy = max(section.energy, min(following.energy, section.energy + 0.2))
    # Keyed by the place: each section is announced by a fill of its own.
    place = drummer.plan.place_of(section.bar)
    random = drummer.plan.brief.rng("groove", "drums", drummer.player.name, "section end", place)
    return fill_bar(random, bar, fills, drummer.plan.meter, energy)


def _scaled(bar: Bar, energy: float) -> Bar:
    """Return the bar softer where the energy is low."""
    factor = 0.78 + 0.26 * energy
    return tuple(replace(hit, velocity=min(127, max(1, round(hit.velocity * factor)))) for hit in bar)


def _has_cymbals(bar: Bar) -> bool:
    return bool({hit.drum for hit in bar} & {"hat", "open_hat", "ride", "crash", "pedal_hat"})


def _crashed(bar: Bar, energy: float) -> Bar:
    # The crash replaces what the same hand plays on the downbeat.
    kept = [hit for hit in bar if hit.start > 0 or hit.drum not in ("hat", "open_hat", "ride")]
    return unique([*kept, DrumHit(0.0, "crash", round(70 + 45 * energy))])


def _last_hit(drummer: _Drummer, notes: Sequence[Note]) -> list[Note]:
    """Stop on the first beat of the last bar, with as strong a hit as the energy allows."""
    plan = drummer.plan
    bar = plan.end - plan.beats_per_bar
    kept = [note for note in notes if note.start < bar - 1e-6]
    first = [note for note in notes if abs(note.start - bar) < 1e-6]
    if plan.bars < 2:
        return list(notes)
    if not drummer.leads:
        return [*kept, *first]
    energy = plan.sections[-1].energy
    strong = [
        Note(bar, HIT_LENGTH, DRUM_KEYS[drum], round(62 + 54 * energy)) for drum in _finals(drummer, first, energy)
    ]
    return [*kept, *(note for note in first if note.pitch not in {n.pitch for n in strong}), *strong]


def _finals(drummer: _Drummer, first: Sequence[Note], energy: float) -> tuple[str, ...]:
    loud = energy >= CRASH_FROM or drummer.plan.brief.ending == "big" or drummer.plan.genre.ending == "hit"
    tonal = {note.pitch for note in first} & {DRUM_KEYS["kick"], DRUM_KEYS["hat"], DRUM_KEYS["ride"]}
    if loud and tonal:
        return ("kick", "crash")
    return ("kick",) if DRUM_KEYS["kick"] in {note.pitch for note in first} else ()
