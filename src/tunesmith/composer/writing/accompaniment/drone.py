"""Drones: the tonic with its fifth or octave, held under everything and struck again every few bars."""

from __future__ import annotations

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.plan import Plan, Player

HELD_BARS = 4
OCTAVE, FIFTH = 12, 7
# E2: below it, a fifth is mud, and louder than its root on small speakers, so that it would pass for the tonic.
LOWEST_WITH_FIFTH = 40


def write_drone(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Hold the tonic through each section that the player is active in; from medium energy another note joins.

    That is the fifth, or the octave of a low tonic.
    """
    # Every writer has this signature; a drone has nothing to draw.
    tool = instrument(player.instrument)
    options = range(tool.low + (plan.key.tonic - tool.low) % 12, tool.high + 1, 12)
    tonic = min(options, key=lambda pitch: abs(pitch - player.register))
    above = tonic + (FIFTH if tonic >= LOWEST_WITH_FIFTH else OCTAVE)
    notes = []
    for section in plan.active_sections(player):
        pitches = (tonic, above) if section.energy >= 0.4 and tool.polyphony > 1 and above <= tool.high else (tonic,)
        # Sampled notes fade or loop audibly, so a long drone is struck again.
        for bar in range(section.bar, section.bar + section.bars, HELD_BARS):
            bars = min(HELD_BARS, section.bar + section.bars - bar)
            start, length = bar * plan.beats_per_bar, bars * plan.beats_per_bar
            velocity = round(60 + 24 * section.energy)
            notes += [Note(on_grid(start), on_grid(length), pitch, velocity) for pitch in pitches]
    return tuple(notes)
