"""A doubled lead: another instrument plays the lead's notes softly, at the unison or an octave away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.writing.band.colours import DOUBLE
from tunesmith.composer.writing.melody.counter import write_counter
from tunesmith.composer.writing.plan import Plan, Player

# How much softer than the lead.
SOFTER = 12
# Shorter notes are ornaments, which only the lead plays.
SHORTEST = 0.2


def write_second_voice(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Write a counter-melody or, in the style of a double, the lead's own notes."""
    return (write_double if player.style == DOUBLE else write_counter)(plan, player, random)


def write_double(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Write the notes of the lead in ``plan.written``, moved by whole octaves to the player's register and range."""
    del random
    lead = next((other for other in plan.players if other.role == "melody" and plan.written.get(other.name)), None)
    if lead is None:
        return ()
    tool = instrument(player.instrument)
    octaves = 12 * round((player.register - lead.register) / 12)
    active = {section.bar for section in plan.active_sections(player)}
    return tuple(
        replace(note, pitch=note.pitch + octaves, velocity=max(1, note.velocity - SOFTER), glide=0)
        for note in plan.written[lead.name]
        if note.length >= SHORTEST
        and tool.low <= note.pitch + octaves <= tool.high
        and plan.section_at(note.start).bar in active
    )
