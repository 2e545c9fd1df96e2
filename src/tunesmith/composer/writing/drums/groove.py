"""Grooves: drum notation as hits, and the adaptation of a groove to another meter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tunesmith.composer.drum_names import DRUM_KEYS, VELOCITIES
from tunesmith.composer.genre import Groove
from tunesmith.composer.theory import Meter

# In beats; drums ring by themselves.
HIT_LENGTH = 0.25


@dataclass(frozen=True, slots=True)
class DrumHit:
    """A drum stroke: ``start`` in beats from its bar line, ``drum`` from DRUM_KEYS, ``velocity`` 1–127."""

    start: float
    drum: str
    velocity: int

    @property
    def key(self) -> int:
        """The General MIDI key of the drum."""
        return DRUM_KEYS[self.drum]


Bar = tuple[DrumHit, ...]

GENERIC_PATTERNS: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "2/4": (8, {"kick": "X...x...", "snare": "..X...X.", "hat": "x.x.x.x."}),
    "4/4": (16, {"kick": "X.......X.......", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."}),
    "3/4": (12, {"kick": "X...........", "snare": "....x...x...", "hat": "x.o.x.o.x.o."}),
    "6/8": (12, {"kick": "X...........", "snare": "......X.....", "hat": "x.o.o.x.o.o."}),
    "9/8": (18, {"kick": "X...........x.....", "snare": "......X...........", "hat": "x.o.o.x.o.o.x.o.o."}),
    "12/8": (24, {"kick": "X...........X.........x.", "snare": "......X...........X.....",
        "hat": "x.o.o.x.o.o.x.o.o.x.o.o."}),
    "5/4": (20, {"kick": "X.........x.........", "snare": "....X...........X...", "hat": "x.o.x.o.x.o.x.o.x.o."}),
    "7/8": (14, {"kick": "X.......x.....", "snare": "....X.......X.", "hat": "x.o.x.o.x.o.x."}),
}  # fmt: skip
"""Meter → steps per bar and a plain groove, where a genre has none to adapt."""


# Cached: the same few grooves are read for every section of every piece.
@cache
def _bars_of(steps: int, patterns: tuple[tuple[str, str], ...], beats: float) -> tuple[Bar, ...]:
    rows = [(drum, text.split()) for drum, text in patterns]
    count = max((len(bars) for _, bars in rows), default=1)
    unit = beats / steps
    return tuple(
        tuple(sorted(
            (DrumHit(step * unit, drum, VELOCITIES[mark])
             for drum, bars in rows
             for step, mark in enumerate(bars[index % len(bars)][:steps])
             if mark in VELOCITIES),
            key=lambda hit: (hit.start, hit.key),
        ))
        for index in range(count)
    )  # fmt: skip


def bars_of(groove: Groove, meter: Meter) -> tuple[Bar, ...]:
    """Return the bars of a groove as hits, adapted to ``meter`` where the groove has another."""
    own = Meter.parse(groove.meter)
    # Patterns become a tuple, because the cache needs a hashable key.
    bars = _bars_of(groove.steps, tuple(groove.patterns.items()), own.beats_per_bar)
    return bars if own == meter else tuple(_bent(bar, own, meter) for bar in bars)


def generic_bars(meter: Meter) -> tuple[Bar, ...]:
    """Return the plain groove of a meter; rare meters are adapted from the nearest one."""
    if str(meter) in GENERIC_PATTERNS:
        steps, patterns = GENERIC_PATTERNS[str(meter)]
        return _bars_of(steps, tuple(patterns.items()), meter.beats_per_bar)
    source = Meter(12, 8) if meter.is_compound else Meter(4, 4)
    return tuple(_bent(bar, source, meter) for bar in generic_bars(source))


def _bent(bar: Bar, own: Meter, meter: Meter) -> Bar:
    """Adapt a bar to another meter: map compound and simple pulses onto each other, then cut or repeat the bar."""
    scale = 1.0
    if own.is_compound != meter.is_compound:
        scale = 1.5 if meter.is_compound else 2 / 3
    stretched = [replace(hit, start=_snapped(hit.start * scale, compound=meter.is_compound)) for hit in bar]
    length, wanted = own.beats_per_bar * scale, meter.beats_per_bar
    # One repetition is enough for every meter up to twice as long.
    again = [replace(hit, start=hit.start + length) for hit in stretched]
    return unique(hit for hit in (*stretched, *again) if hit.start < wanted - 1e-6)


def _snapped(start: float, *, compound: bool) -> float:
    """Return a start on the eighths of a compound bar, or on the triplet grid of a simple one."""
    return round(start * 2) / 2 if compound else round(start * 12) / 12


def unique(hits: Iterable[DrumHit]) -> Bar:
    """Return the hits sorted; of several at one time on one drum, the loudest wins."""
    loudest: dict[tuple[float, str], DrumHit] = {}
    for hit in hits:
        # Rounded: 1/3 + 1/3 and 2/3 differ in floating point.
        place = (round(hit.start, 4), hit.drum)
        if place not in loudest or loudest[place].velocity < hit.velocity:
            loudest[place] = hit
    return tuple(sorted(loudest.values(), key=lambda hit: (hit.start, hit.key)))


def is_triplet(bar: Bar) -> bool:
    """Return whether a bar of simple meter divides its beats in three."""
    off = [hit for hit in bar if abs(hit.start * 4 - round(hit.start * 4)) > 0.01]
    return len(off) > 0 and all(abs(hit.start * 3 - round(hit.start * 3)) < 0.01 for hit in off)


def choose_groove(grooves: Sequence[Groove], styles: Sequence[str], meter: Meter, energy: float) -> Groove | None:
    """Return the groove that fits energy and meter best, of those named in ``styles`` (the first is the player's own).

    The energy range decides first, then the meter, then the order of ``styles``. A player whose style names no groove
    takes any with a kick or a snare. None where the genre has no such groove.
    """
    played = [groove for groove in grooves if groove.use == "groove"]
    kin = [(_rank(groove.name, styles), groove) for groove in played]
    pool = [(rank, groove) for rank, groove in kin if rank < len(styles)]
    if not any(rank == 0 for rank, _ in pool):
        pool = pool or [(rank, groove) for rank, groove in kin if {"kick", "snare", "taiko"} & set(groove.patterns)]
    if not pool:
        return None
    # The name breaks ties, so that the order of the grooves does not matter.
    return min(pool, key=lambda p: (_out_of(p[1].energy, energy), p[1].meter != str(meter), p[0], p[1].name))[1]


def _rank(name: str, styles: Sequence[str]) -> int:
    """Return the index of the first style that names this groove or its family (``dusty`` of ``dusty_busy``)."""
    return next((i for i, style in enumerate(styles) if name == style or name.startswith(f"{style}_")), len(styles))


def _out_of(window: tuple[float, float], energy: float) -> float:
    return max(window[0] - energy, energy - window[1], 0.0)
