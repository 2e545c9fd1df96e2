"""The SoundFont 2.04 generators and modulators of the sampler: numbers, defaults, and the value of a modulator."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass


class Gen(enum.IntEnum):
    """Generator numbers (SoundFont 2.04, section 8.1.2); times in timecents, levels in centibels, pitch in cents."""

    START = 0
    END = 1
    LOOP_START = 2
    LOOP_END = 3
    START_COARSE = 4
    VIBRATO_TO_PITCH = 6
    MOD_ENV_TO_PITCH = 7
    CUTOFF = 8
    RESONANCE = 9
    MOD_ENV_TO_CUTOFF = 11
    END_COARSE = 12
    PAN = 17
    VIBRATO_DELAY = 23
    VIBRATO_RATE = 24
    MOD_DELAY = 25
    MOD_ATTACK = 26
    MOD_HOLD = 27
    MOD_DECAY = 28
    MOD_SUSTAIN = 29
    MOD_RELEASE = 30
    DELAY = 33
    ATTACK = 34
    HOLD = 35
    DECAY = 36
    SUSTAIN = 37
    RELEASE = 38
    KEY_TO_HOLD = 39
    KEY_TO_DECAY = 40
    INSTRUMENT = 41
    KEY_RANGE = 43
    VELOCITY_RANGE = 44
    LOOP_START_COARSE = 45
    FORCED_KEY = 46
    FORCED_VELOCITY = 47
    ATTENUATION = 48
    LOOP_END_COARSE = 50
    COARSE_TUNE = 51
    FINE_TUNE = 52
    SAMPLE = 53
    LOOP_MODE = 54
    SCALE_TUNING = 56
    EXCLUSIVE_CLASS = 57
    ROOT_KEY = 58


DEFAULTS: Mapping[int, int] = {
    Gen.CUTOFF: 13_500, Gen.SCALE_TUNING: 100, Gen.ROOT_KEY: -1, Gen.FORCED_KEY: -1, Gen.FORCED_VELOCITY: -1,
    Gen.VIBRATO_DELAY: -12_000, Gen.MOD_DELAY: -12_000, Gen.MOD_ATTACK: -12_000, Gen.MOD_HOLD: -12_000,
    Gen.MOD_DECAY: -12_000, Gen.MOD_RELEASE: -12_000, Gen.DELAY: -12_000, Gen.ATTACK: -12_000, Gen.HOLD: -12_000,
    Gen.DECAY: -12_000, Gen.RELEASE: -12_000,
}  # fmt: skip
"""The values of generators that no zone sets; all others are 0."""

INSTRUMENT_ONLY = frozenset({
    Gen.START, Gen.END, Gen.LOOP_START, Gen.LOOP_END, Gen.START_COARSE, Gen.END_COARSE, Gen.LOOP_START_COARSE,
    Gen.LOOP_END_COARSE, Gen.FORCED_KEY, Gen.FORCED_VELOCITY, Gen.LOOP_MODE, Gen.EXCLUSIVE_CLASS, Gen.ROOT_KEY,
    Gen.INSTRUMENT, Gen.SAMPLE, Gen.KEY_RANGE, Gen.VELOCITY_RANGE,
})  # fmt: skip
"""Generators that a preset zone may not change."""

_CONTROLLERS = {7: 127, 8: 64, 10: 64, 11: 127, **dict.fromkeys(range(70, 80), 64)}
# General controllers as sources of modulators (SoundFont 2.04, 8.2.1).
_VELOCITY, _KEY, _PITCH_WHEEL = 2, 3, 14


@dataclass(frozen=True, slots=True)
class Modulator:
    """A modulator that adds ``amount`` × source × amount source to generator ``operator``.

    Sources are packed as in the standard.
    """

    source: int
    operator: int
    amount: int
    amount_source: int

    @property
    def identity(self) -> tuple[int, int, int]:
        """The key of the modulator: of two with the same key, the one in the nearer zone replaces the other."""
        return self.source, self.operator, self.amount_source

    def value(self, key: int, velocity: int) -> float:
        """Return the modulation for a key and velocity, with every controller at rest."""
        return self.amount * _source(self.source, key, velocity) * _source(self.amount_source, key, velocity)


VELOCITY_TO_CUTOFF = Modulator(0x0102, Gen.CUTOFF, -2400, 0)
DEFAULT_MODULATORS = (Modulator(0x0502, Gen.ATTENUATION, 960, 0), VELOCITY_TO_CUTOFF)
"""Velocity to level (concave: gain is the square of velocity) and velocity to brightness, as in SoundFont 2.01."""


def _source(packed: int, key: int, velocity: int) -> float:
    # Bits 0–6 are the index, 7 is the controller flag, 8 the direction, 9 the polarity, and from 10 on the curve.
    index, controller = packed & 0x7F, bool(packed & 0x80)
    # Index 0 without the controller flag is no source at all: a constant 1.
    if not controller and index == 0:
        return 1.0
    if controller:
        position = _CONTROLLERS.get(index, 0) / 127
    else:
        position = {_VELOCITY: velocity / 127, _KEY: key / 127, _PITCH_WHEEL: 64 / 127}.get(index, 0.0)
    if packed & 0x100:
        position = 1 - position
    if packed & 0x200:
        signed = 2 * position - 1
        return math.copysign(_curve(packed >> 10, abs(signed)), signed)
    return _curve(packed >> 10, position)


def _curve(kind: int, position: float) -> float:
    """Return the linear, concave, convex or switch curve, 0–1 to 0–1 (section 9.5.3)."""
    if kind == 1:
        return min(1.0, -40 / 96 * math.log10(max(1 - position, 1e-3))) if position > 0 else 0.0
    if kind == 2:
        return 1 - (min(1.0, -40 / 96 * math.log10(max(position, 1e-3))))
    return float(position >= 0.5) if kind == 3 else position
