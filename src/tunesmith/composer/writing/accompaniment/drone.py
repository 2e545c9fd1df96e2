"""Drones: the tonic and its fifth, held under everything and struck again every few bars."""

from __future__ import annotations

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.plan import Plan, Player

HELD_BARS = 4
FIFTH = 7


def write_drone(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Hold the tonic through each section that the player is active in, with its fifth from medium energy."""
    # Every writer has this signature; a drone has nothing to draw.
    tool = instrument(player.instrument)
    options = range(tool.low + (plan.key.tonic - tool.low) % 12, tool.high + 1, 12)
    tonic = min(options, key=lambda pitch: abs(pitch - player.register))
    notes = []
    for section in plan.active_sections(player):
        fifth = section.energy >= 0.4 and tool.polyphony > 1 and tonic + FIFTH <= tool.high
        pitches = (tonic, tonic + FIFTH) if fifth else (tonic,)
        # Sampled notes fade or loop audibly, so a long drone is struck again.
        for bar in range(section.bar, section.bar + section.bars, HELD_BARS):
            bars = min(HELD_BARS, section.bar + section.bars - bar)
            start, length = bar * plan.beats_per_bar, bars * plan.beats_per_bar
            velocity = round(60 + 24 * section.energy)
            notes += [Note(on_grid(start), on_grid(length), pitch, velocity) for pitch in pitches]
    return tuple(notes)
