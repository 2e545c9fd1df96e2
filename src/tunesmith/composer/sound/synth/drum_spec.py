"""What a drum is made of: layers of noise, ringing and samples, as frozen numbers.

Times are in seconds and mean the fall by 60 dB; frequencies are in Hz; levels are linear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Thump:
    """A sine that falls from ``start`` to ``end`` Hz within ``sweep`` seconds and rings for ``ring``: kicks, toms.

    ``click`` adds a short, bright tick at the onset.
    """

    start: float
    end: float
    sweep: float
    ring: float
    level: float = 1.0
    click: float = 0.0


@dataclass(frozen=True, slots=True)
class Hiss:
    """Noise between ``low`` and ``high`` Hz: snares, claps, shakers.

    ``bursts`` onsets ``gap`` seconds apart come before the ``ring``; ``hold`` delays its fall (a gated room);
    ``attack`` is its rise; ``width`` 0–1 is how different left and right are.
    """

    low: float
    high: float
    ring: float
    level: float = 1.0
    attack: float = 0.0005
    hold: float = 0.0
    bursts: int = 1
    gap: float = 0.011
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Metal:
    """Six square waves at frequencies with no common root, from ``pitch`` Hz up, between ``low`` and ``high``: cymbals.

    ``noise`` mixes hiss in; ``strike`` adds a brighter, faster falling onset; ``width`` as in Hiss.
    """

    pitch: float
    low: float
    high: float
    ring: float
    level: float = 1.0
    noise: float = 0.35
    strike: float = 0.0
    width: float = 0.3


@dataclass(frozen=True, slots=True)
class Ringing:
    """Sines of (Hz, level, ring): bells, wood, and anything else that is struck and has partials."""

    partials: tuple[tuple[float, float, float], ...]
    level: float = 1.0
    click: float = 0.0


@dataclass(frozen=True, slots=True)
class ChipNoise:
    """The 2A03's noise channel: a 15-bit shift register clocked at ``rate`` Hz, volume falling over ``frames`` frames.

    The ``short`` register loops after 93 steps and sounds metallic.
    """

    rate: float
    frames: int
    level: float = 1.0
    short: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded hit by file name, played ``semitones`` higher and let ring for at most ``ring`` seconds."""

    file: str
    semitones: float = 0.0
    ring: float = 0.0
    level: float = 1.0


Layer = Thump | Hiss | Metal | Ringing | ChipNoise | Recorded


@dataclass(frozen=True, slots=True)
class Drum:
    """Layers sounding together. ``level_db`` is its peak below a kick's; ``pan`` −1 to 1; ``drive`` saturates."""

    layers: tuple[Layer, ...]
    level_db: float = 0.0
    pan: float = 0.0
    drive: float = 0.0


@dataclass(frozen=True, slots=True)
class Kit:
    """Drums by General MIDI key, and what the whole kit went through: a low pass, coarse samples (``bits``), drive."""

    drums: Mapping[int, Drum] = field(default_factory=dict)
    low_pass: float = 0.0
    bits: int = 0
    drive: float = 0.0
