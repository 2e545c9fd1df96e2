"""Swing: where the second note of each pair of eighths or sixteenths falls."""

from __future__ import annotations


def swung(beat: float, swing: float, unit: int) -> float:
    """Return where a straight ``beat`` sounds, in beats.

    ``unit`` 8 pairs eighths within a beat, 16 sixteenths within half a beat; ``swing`` is the place of the second note
    of the pair (0.5 straight, 0.667 triplet). Times within a pair are scaled in proportion, which keeps their order;
    written triplets stay where they are.
    """
    pair = 1.0 if unit == 8 else 0.5
    # The small offset keeps a beat that rounding put just below a pair boundary in the right pair.
    whole, part = divmod(beat + 1e-9, pair)
    at = part / pair
    # Written triplets already have the swing; bending them again would spoil them.
    if abs(at * 3 - round(at * 3)) < 0.02 and 0.02 < at < 0.98:
        return beat
    bent = at * 2 * swing if at < 0.5 else swing + (at - 0.5) * 2 * (1 - swing)
    return (whole + bent) * pair
