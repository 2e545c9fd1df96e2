"""The faders that are set once for a piece: every part is heard while it plays, and none covers the others.

A genre's levels say how its parts lie to each other, but a kick and the tambourine of one kit differ by 40 dB. Only the
notes of the piece tell how loud a part comes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from typing import NamedTuple

import numpy as np

from tunesmith.composer.mix.octaves import Octaves, heard_power
from tunesmith.composer.mix.section_faders import FIXED_ROLES
from tunesmith.composer.score import Part


class Bounds(NamedTuple):
    """The least and the most level of a part in dB, relative to the mix of the stretches in which it plays."""

    least_db: float
    most_db: float


# A lead may be most of what is heard: lowering named instruments made them harder to recognise.
LEAD = Bounds(-13.0, 0.0)
# The forecast takes drums for louder than they are: by 2 dB in the median of 21 pieces.
DRUMS = Bounds(-22.0, -1.5)
OTHERS = Bounds(-22.0, 0.0)
"""One or two dB inside of what is audible, because the forecast errs by as much."""

ROUNDS = 4
"""How often the faders are set: each one moves the mix to which the others are compared."""

MOST_DB, STEP_DB = 24.0, 0.5


def part_gains(parts: Sequence[Part], energies: Octaves, guests: Set[str] = frozenset()) -> tuple[float, ...]:
    """Return the gain of each part in dB, 0 where its level is within its bounds.

    ``energies`` are those at the bus, (parts, stretches, 2, octaves). The first melody is the lead. Parts named in
    ``guests`` join a band whose faders are set: they move no other part.
    """
    power = heard_power(energies)
    gains, is_guest = np.zeros(len(parts)), np.array([part.name in guests for part in parts], bool)
    for moved, playing in ((~is_guest, ~is_guest), (is_guest, True)):
        for _ in range(ROUNDS):
            gains += moved * _corrections(parts, power * (10 ** (gains / 10) * playing)[:, None])
    steps = np.rint(np.clip(gains, -MOST_DB, MOST_DB) / STEP_DB)
    return tuple(float(step) * STEP_DB for step in steps)


def _corrections(parts: Sequence[Part], heard: Octaves) -> Octaves:
    """Return how many dB bring each part within its bounds, (parts,); ``heard`` is their power, (parts, stretches)."""
    at_rest = [part.role in FIXED_ROLES or not own.any() for part, own in zip(parts, heard, strict=True)]
    lead = next((number for number, part in enumerate(parts) if part.role == "melody" and not at_rest[number]), None)
    bounds = [LEAD if number == lead else _bounds_of(part) for number, part in enumerate(parts)]
    return np.array([0.0 if at_rest[number] else _missing(heard, number, one) for number, one in enumerate(bounds)])


def _bounds_of(part: Part) -> Bounds:
    return DRUMS if part.role == "drums" else OTHERS


def _missing(heard: Octaves, number: int, bounds: Bounds) -> float:
    """Return how many dB bring a part within its bounds; ``heard`` is the power of all, (parts, stretches)."""
    own = heard[number]
    others = float(heard[:, own > 0].sum() - own.sum())
    # Who plays alone is the mix.
    if others <= 0:
        return 0.0
    power = float(own.sum())
    share = power / (power + others)
    least, most = (10 ** (bound / 10) for bound in bounds)
    target = min(max(share, least), most)
    # The part itself is in the mix to which it is compared.
    return 0.0 if target == share else 10 * math.log10(target / (1 - target) * others / power)
