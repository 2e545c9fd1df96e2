"""Rests of the rhythm section: drums and bass leave out the second half of a bar that ends a phrase."""

from __future__ import annotations

from tunesmith.composer.rng import chance_of, rng_for
from tunesmith.composer.score import Section
from tunesmith.composer.writing.plan import Plan

PHRASE_BARS = 8
SHORTEST_SECTION = 4
SHORTEST_PIECE = 12
# Section energy from which a rest is heard as one.
RESTING_FROM = 0.4
INSIDE_SHARE, SECTION_END_SHARE = 0.3, 0.4
# Sections that lead somewhere without a stop.
FLOWING = frozenset({"intro", "build", "outro", "ending"})


def rests_in(plan: Plan, section: Section, bar: int) -> bool:
    """Return whether drums and bass rest in the second half of ``bar``, counted from the start of the section."""
    if section.bars < SHORTEST_SECTION or section.energy < RESTING_FROM or section.name in FLOWING:
        return False
    if plan.bars < SHORTEST_PIECE or section.bar + bar >= plan.bars - 2:
        return False
    if not any(player.role == "drums" and player.entry <= section.energy for player in plan.players):
        return False
    last = bar == section.bars - 1
    if not last and bar % PHRASE_BARS != PHRASE_BARS - 1:
        return False
    random = rng_for(plan.brief.seed, "rest", section.name, "end" if last else "inside")
    return chance_of(random, SECTION_END_SHARE if last else INSIDE_SHARE)


def half_bar(plan: Plan) -> float:
    """Return the beat of a bar on which its second half begins, on a felt beat."""
    pulses = round(plan.beats_per_bar / plan.meter.felt_beat)
    return -(-pulses // 2) * plan.meter.felt_beat
