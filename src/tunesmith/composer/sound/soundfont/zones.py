"""Preset and instrument zones of a sound bank, resolved to the regions that sound for a key and a velocity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tunesmith.composer.sound.soundfont.generators import (
    DEFAULT_MODULATORS,
    DEFAULTS,
    INSTRUMENT_ONLY,
    VELOCITY_TO_CUTOFF,
    Gen,
    Modulator,
)
from tunesmith.composer.sound.soundfont.sf2_tables import Hydra, Records

Range = tuple[int, int]
_EVERY: Range = (0, 127)


@dataclass(frozen=True, slots=True)
class Zone:
    """A bag: its generators by number, and its modulators."""

    generators: Mapping[int, int]
    modulators: tuple[Modulator, ...]

    def range(self, operator: Gen) -> Range:
        """Return the lowest and highest key or velocity of the zone."""
        packed = self.generators.get(operator)
        # A range is packed into one amount, its lowest value in the low byte.
        return _EVERY if packed is None else (packed & 0xFF, packed >> 8 & 0xFF)


@dataclass(frozen=True, slots=True)
class Region:
    """A sample with all of its generators, for ``keys`` and ``velocities`` (inclusive)."""

    keys: Range
    velocities: Range
    generators: Mapping[int, int]
    modulators: tuple[Modulator, ...]

    def settings(self, key: int, velocity: int) -> Mapping[int, float]:
        """Return the generators for one note: set, default or modulated."""
        settings: dict[int, float] = {**DEFAULTS, **self.generators}
        for modulator in self.modulators:
            settings[modulator.operator] = settings.get(modulator.operator, 0) + modulator.value(key, velocity)
        return settings


def preset_regions(hydra: Hydra, preset: int) -> tuple[Region, ...]:
    """Return all regions of a preset, given by its row in ``phdr``."""
    first, last = int(hydra.phdr["bag"][preset]), int(hydra.phdr["bag"][preset + 1])
    zones = _zones(hydra.pbag[first : last + 1], hydra.pgen, hydra.pmod)
    regions = [
        region
        for outer in _with_global(zones, Gen.INSTRUMENT)
        for inner in _instrument_zones(hydra, outer.generators[Gen.INSTRUMENT])
        if (region := _combine(outer, inner)) is not None
    ]
    if all(region.velocities == _EVERY for region in regions):
        return tuple(regions)
    # Recordings at several velocities already differ in brightness; filtering them too would dull them twice.
    return tuple(
        replace(region, modulators=tuple(each for each in region.modulators if each is not VELOCITY_TO_CUTOFF))
        for region in regions
    )


def _instrument_zones(hydra: Hydra, instrument: int) -> list[Zone]:
    first, last = int(hydra.inst["bag"][instrument]), int(hydra.inst["bag"][instrument + 1])
    return _with_global(_zones(hydra.ibag[first : last + 1], hydra.igen, hydra.imod), Gen.SAMPLE)


def _zones(bags: Records, generators: Records, modulators: Records) -> Iterator[Zone]:
    # A bag ends where the next one begins.
    for bag, after in zip(bags[:-1].tolist(), bags[1:].tolist(), strict=True):
        yield Zone(
            dict(generators[bag[0] : after[0]].tolist()),
            tuple(Modulator(*row[:4]) for row in modulators[bag[1] : after[1]].tolist()),
        )


def _with_global(zones: Iterator[Zone], target: Gen) -> list[Zone]:
    """Return the zones with a target.

    A first zone without a target is global: the others inherit from it. Later ones without a target are ignored.
    """
    shared = Zone({}, ())
    found: list[Zone] = []
    for index, zone in enumerate(zones):
        if target in zone.generators:
            found.append(Zone({**shared.generators, **zone.generators}, _replaced(shared.modulators, zone.modulators)))
        elif index == 0:
            shared = zone
    return found


def _replaced(base: tuple[Modulator, ...], nearer: tuple[Modulator, ...]) -> tuple[Modulator, ...]:
    merged = {modulator.identity: modulator for modulator in (*base, *nearer)}
    return tuple(merged.values())


def _combine(outer: Zone, inner: Zone) -> Region | None:
    """Return the region of a preset zone and an instrument zone: values add up, ranges intersect."""
    keys = _meet(outer.range(Gen.KEY_RANGE), inner.range(Gen.KEY_RANGE))
    velocities = _meet(outer.range(Gen.VELOCITY_RANGE), inner.range(Gen.VELOCITY_RANGE))
    if keys is None or velocities is None:
        return None
    generators = dict(inner.generators)
    for operator, amount in outer.generators.items():
        if operator not in INSTRUMENT_ONLY:
            generators[operator] = generators.get(operator, DEFAULTS.get(operator, 0)) + amount
    # Instrument modulators replace the defaults; those of the preset add to them.
    modulators = _replaced(DEFAULT_MODULATORS, inner.modulators) + outer.modulators
    audible = tuple(modulator for modulator in modulators if modulator.amount)
    return Region(keys, velocities, generators, audible)


def _meet(one: Range, other: Range) -> Range | None:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else None
