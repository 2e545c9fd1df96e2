"""Variation of a groove: what a drummer changes in the third and fourth bar of each cycle, and ghost notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.composer.rng import weighted_choice
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.drums.groove import Bar, DrumHit, is_triplet, unique
from tunesmith.composer.writing.plan import Plan
from tunesmith.composer.writing.step_patterns import CYCLE_BARS

# The bars of a cycle that stay as the groove is written.
PLAIN_BARS = 2
GHOST_VELOCITY = 36
# Spread of velocities from which a drummer is a person, who plays ghost notes.
HUMAN_DYNAMICS = 0.12
# Places of ghost notes in sixteenths of a bar of four beats: each row is one drummer's habit.
GHOSTS = ((7, 9), (7, 15), (3, 9, 15), (9,), (1, 7), (7, 10, 15))


def varied(bar: Bar, index: int, random: np.random.Generator, meter: Meter) -> Bar:
    """Change one small thing in the last bars of a cycle: a ghost note, a kick more or less, an open hat.

    ``index`` counts the bars of the section; the same generator gives the same change.
    """
    if index % CYCLE_BARS < PLAIN_BARS or not bar:
        return bar
    kind = weighted_choice(random, ("ghost", "kick", "open", "drop"))
    pulse, last = meter.felt_beat, meter.beats_per_bar
    drums = {hit.drum for hit in bar}
    if kind == "ghost" and "snare" in drums:
        places = (pulse * 2 / 3,) if meter.is_compound else (pulse * 0.75, last - pulse * 1.25)
        return unique([*bar, DrumHit(weighted_choice(random, places), "snare", 40)])
    if kind == "kick" and "kick" in drums:
        return unique([*bar, DrumHit(last - pulse / 2 if pulse == 1 else last - 0.5, "kick", 84)])
    if kind == "open" and "hat" in drums:
        hats = [hit for hit in bar if hit.drum == "hat"]
        return unique([*(hit for hit in bar if hit != hats[-1]), replace(hats[-1], drum="open_hat")])
    soft = [hit for hit in bar if hit.velocity < 90 and hit.start > 0]
    return tuple(hit for hit in bar if hit != soft[-1]) if kind == "drop" and len(soft) > 2 else bar


def with_ghosts(bar: Bar, plan: Plan, name: str) -> Bar:
    """Add the ghost notes of the snare that are this drummer's habit, where a person plays in a simple meter."""
    snares = [hit.start for hit in bar if hit.drum == "snare"]
    if not snares or plan.genre.feel.dynamics < HUMAN_DYNAMICS or plan.meter.is_compound or is_triplet(bar):
        return bar
    habit = plan.brief.choice("groove", "ghosts", name, options=GHOSTS)
    # A ghost right beside a stroke would sound like a flam.
    free = [step / 4 for step in habit if step / 4 < plan.beats_per_bar
            and all(abs(step / 4 - snare) > 0.2 for snare in snares)]  # fmt: skip
    return unique([*bar, *(DrumHit(start, "snare", GHOST_VELOCITY) for start in free)])
