"""Instrument idioms: the breath that an instrument takes, how dense its lines are, and its ornaments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.composer.instruments import Instrument, instrument


@dataclass(frozen=True, slots=True)
class Idiom:
    """The idiom of an instrument in a melodic line.

    ``density`` and ``leap`` scale the genre's own; ``breath`` is the rest in beats after a phrase; ``legato`` scales
    the sounding length; ``slides`` 0–1 is how often a note slides in, and ``graces`` how often it has a grace note or
    turn.
    """

    density: float = 1.0
    leap: float = 1.0
    breath: float = 0.75
    legato: float = 1.0
    slides: float = 0.0
    graces: float = 0.3


BY_FAMILY: Mapping[str, Idiom] = {
    "keys": Idiom(),
    "mallets": Idiom(density=0.8, leap=1.2, breath=1.0, graces=0.15),
    "plucked": Idiom(density=1.05, leap=1.1, graces=0.5),
    "guitar": Idiom(density=0.95, slides=0.35, graces=0.35),
    "strings": Idiom(density=0.9, leap=0.9, legato=1.08, slides=0.05, graces=0.4),
    "winds": Idiom(density=0.95, breath=1.0, graces=0.6),
    "reeds": Idiom(density=0.95, breath=1.0, slides=0.2, graces=0.4),
    "brass": Idiom(density=0.8, breath=1.0, leap=1.2, graces=0.1),
    "voices": Idiom(density=0.6, leap=0.7, breath=1.0, legato=1.08, slides=0.05, graces=0.05),
    "synth": Idiom(slides=0.1, graces=0.1),
    "pads": Idiom(density=0.45, leap=0.8, legato=1.08, graces=0.0),
    "chip": Idiom(density=1.25, leap=1.3, breath=0.5, graces=0.2),
    "percussion": Idiom(density=0.6),
    "bass": Idiom(density=0.8),
}
BY_NAME: Mapping[str, Idiom] = {
    "glockenspiel": Idiom(density=0.65, leap=1.2, breath=1.0, graces=0.05),
    "music_box": Idiom(density=0.85, leap=1.2, breath=1.0, graces=0.1),
    "celesta": Idiom(density=0.8, leap=1.2, breath=1.0, graces=0.1),
    "tubular_bells": Idiom(density=0.35, leap=1.0, breath=2.0, graces=0.0),
    "fm_bell": Idiom(density=0.6, leap=1.1, breath=1.5, graces=0.0),
    "erhu": Idiom(density=0.8, legato=1.08, slides=0.6, graces=0.6),
    "sitar": Idiom(slides=0.5, graces=0.5),
    "koto": Idiom(density=1.05, leap=1.1, slides=0.4, graces=0.6),
    "shamisen": Idiom(density=1.05, leap=1.1, slides=0.25, graces=0.6),
    "theremin": Idiom(density=0.6, legato=1.1, slides=0.9, graces=0.0),
    "shakuhachi": Idiom(density=0.7, breath=1.5, slides=0.5, graces=0.5),
    "overdriven_guitar": Idiom(density=0.9, slides=0.5, graces=0.2),
    "distorted_guitar": Idiom(density=0.9, slides=0.4, graces=0.2),
    "fiddle": Idiom(slides=0.15, graces=0.8),
    "tin_whistle": Idiom(breath=0.5, graces=0.9),
    "bagpipe": Idiom(breath=0.5, graces=1.0),
    "harpsichord": Idiom(density=1.1, graces=0.7),
    "cowbell_lead": Idiom(leap=1.2, breath=0.5, graces=0.0),
}


def idiom_of(name: str) -> Idiom:
    """Return the idiom of the instrument called ``name``."""
    return BY_NAME.get(name) or BY_FAMILY.get(instrument(name).family, Idiom())


def pitch_range_of(tool: Instrument, register: int, reach: int = 12) -> tuple[int, int]:
    """Return the lowest and highest pitch of a line around ``register``, within the instrument's range."""
    # A narrow instrument uses its whole range; a wide one must not wander over all of it.
    middle = min(max(register, tool.low + reach), tool.high - reach) if tool.high - tool.low > 2 * reach else register
    low, high = max(tool.low, middle - reach), min(tool.high, middle + reach)
    return (low, high) if high - low >= 7 else (tool.low, tool.high)
