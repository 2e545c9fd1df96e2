"""Transitions: risers before a section of more energy, impacts on its first beat, falls into a calmer one."""

from __future__ import annotations

from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import Note, Section
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.plan import Plan, Player

# How much the energy must grow for a riser or an impact.
RISE = 0.12
FALL = 0.2
LEADING_IN = frozenset({"riser", "reverse_cymbal", "sweep_noise"})
EFFECT_PITCH = 60
LONGEST_SECONDS = 9.0


def write_effects(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Place the player's effect (its instrument) where the energy rises or falls enough between two sections."""
    notes = [
        note
        for before, after in zip(plan.sections, plan.sections[1:], strict=False)
        if (note := _at_seam(plan, player, before, after)) is not None
    ]
    return tuple(sorted(notes, key=lambda note: note.start))


def _at_seam(plan: Plan, player: Player, before: Section, after: Section) -> Note | None:
    change = after.energy - before.energy
    seam = after.bar * plan.beats_per_bar
    # A drop is an event even where the energy was already high.
    rises = change >= RISE or (after.name == "drop" and change >= 0)
    velocity = round(60 + 55 * max(after.energy, before.energy))
    if player.instrument in LEADING_IN:
        # Not every change deserves a riser; a large one always gets it.
        random = plan.brief.rng("form", "riser", player.name, plan.place_of(after.bar))
        if not rises or after.energy < player.entry or (change < 0.25 and not chance_of(random, 0.8)):
            return None
        length = _lead_in(plan, player.instrument, before)
        return Note(on_grid(seam - length), on_grid(length), EFFECT_PITCH, velocity)
    wanted = change <= -FALL if player.instrument == "downlifter" else rises
    if not wanted or max(after.energy, before.energy) < player.entry:
        return None
    # The effect must not outlast the section that it opens.
    length = min(after.bars * plan.beats_per_bar, _bars(plan, 2 if player.instrument == "downlifter" else 1))
    return Note(on_grid(seam), on_grid(length), EFFECT_PITCH, velocity)


def _lead_in(plan: Plan, name: str, before: Section) -> float:
    bars = {"reverse_cymbal": 1, "sweep_noise": 2}.get(name, 4 if before.name in ("build", "break") else 2)
    return min(before.bars * plan.beats_per_bar, _bars(plan, bars))


def _bars(plan: Plan, bars: int) -> float:
    """Return the length of up to ``bars`` bars in beats, halved until it is no longer than an effect can last.

    It counts at the genre's slowest tempo, so that another tempo keeps the beat on which an effect begins.
    """
    length = bars * plan.beats_per_bar
    while length * 60 / (plan.genre.tempo.low * plan.meter.felt_beat) > LONGEST_SECONDS and length > plan.beats_per_bar:
        length /= 2
    return length
