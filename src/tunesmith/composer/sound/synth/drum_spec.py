"""Drum specifications: layers of noise, partials and samples, as frozen numbers.

Times are in seconds and mean the decay by 60 dB; frequencies are in Hz; levels are linear.
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

    ``bursts`` is the number of onsets, ``gap`` seconds apart; ``hold`` delays the decay (a gated reverb); ``attack`` is
    the rise; ``width`` 0–1 is how different left and right are.
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
    """Six inharmonic square waves from ``pitch`` Hz up, filtered between ``low`` and ``high`` Hz: cymbals.

    ``noise`` mixes hiss in; ``strike`` adds a brighter onset that decays faster; ``width`` is as in Hiss.
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
    """Sines of (Hz, level, ring): bells, wood, and other struck objects with partials."""

    partials: tuple[tuple[float, float, float], ...]
    level: float = 1.0
    click: float = 0.0


@dataclass(frozen=True, slots=True)
class ChipNoise:
    """The noise channel of the 2A03: a 15-bit shift register at ``rate`` Hz, its volume falling over ``frames`` frames.

    The ``short`` register loops after 93 steps and sounds metallic.
    """

    rate: float
    frames: int
    level: float = 1.0
    short: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded hit by file name, transposed by ``semitones``, that rings for at most ``ring`` seconds."""

    file: str
    semitones: float = 0.0
    ring: float = 0.0
    level: float = 1.0


Layer = Thump | Hiss | Metal | Ringing | ChipNoise | Recorded


@dataclass(frozen=True, slots=True)
class Drum:
    """Layers that sound together.

    ``level_db`` is the peak relative to a kick's, ``pan`` is −1 to 1, ``drive`` saturates.
    """

    layers: tuple[Layer, ...]
    level_db: float = 0.0
    pan: float = 0.0
    drive: float = 0.0


@dataclass(frozen=True, slots=True)
class Kit:
    """Drums by General MIDI key, and the processing of the whole kit: low-pass in Hz, ``bits`` of resolution, drive."""

    drums: Mapping[int, Drum] = field(default_factory=dict)
    low_pass: float = 0.0
    bits: int = 0
    drive: float = 0.0
