"""Drones: the tonic with its fifth or octave, held under everything and struck again every few bars.

In the register of a bass that plays too, a drone has the roots of the chords: two low notes a step apart are mud.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.score import Note, Section
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
    tonic = _nearest(plan.key.tonic, player, tool)
    if tonic < LOWEST_WITH_FIFTH and plan.first_player("bass") is not None:
        return tuple(_roots(plan, player, tool))
    above = tonic + (FIFTH if tonic >= LOWEST_WITH_FIFTH else OCTAVE)
    notes = []
    for section in plan.active_sections(player):
        pitches = (tonic, above) if section.energy >= 0.4 and tool.polyphony > 1 and above <= tool.high else (tonic,)
        # Sampled notes fade or loop audibly, so a long drone is struck again.
        for bar in range(section.bar, section.bar + section.bars, HELD_BARS):
            bars = min(HELD_BARS, section.bar + section.bars - bar)
            start, length = bar * plan.beats_per_bar, bars * plan.beats_per_bar
            notes += [Note(on_grid(start), on_grid(length), pitch, _velocity(section)) for pitch in pitches]
    return tuple(notes)


def _roots(plan: Plan, player: Player, tool: Instrument) -> Iterator[Note]:
    """Yield the note under each chord."""
    for section in plan.active_sections(player):
        for span in plan.spans_between(*plan.span_of(section)):
            pitch = _nearest(span.chord.bass_pitch_class, player, tool)
            yield Note(on_grid(span.start), on_grid(span.length), pitch, _velocity(section))


def _nearest(pitch_class: int, player: Player, tool: Instrument) -> int:
    options = range(tool.low + (pitch_class - tool.low) % 12, tool.high + 1, 12)
    return min(options, key=lambda pitch: abs(pitch - player.register))


def _velocity(section: Section) -> int:
    return round(60 + 24 * section.energy)
