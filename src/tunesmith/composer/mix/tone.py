"""The tone of the bus: an equaliser that brings the octaves of a mix, and the width of each, near finished music's.

A mastering engineer compares a mix with records of its kind and corrects the difference. Here the mix is forecast from
the score (bus_energy.py), because the first seconds must sound before the rest is rendered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.mix.octaves import Octaves
from tunesmith.composer.score import OCTAVES, MixSettings, Part, Score


@dataclass(frozen=True, slots=True)
class BusTone:
    """Gains in dB for each octave: of the whole mix, and of its sides (left minus right), which no mono mix hears."""

    octaves_db: tuple[float, ...] = (0.0,) * OCTAVES
    sides_db: tuple[float, ...] = (0.0,) * OCTAVES


FINISHED_DB: Mapping[str, tuple[float, ...]] = {
    "acoustic": (-31, -11, -5.6, -5.5, -7.6, -14.4, -18.4, -21.4, -25.6, -29.7),
    "orchestral": (-31, -11, -5.6, -5.5, -7.6, -14.4, -18.4, -21.4, -25.6, -29.7),
    "band": (-26, -7, -6.4, -7, -8.2, -14.6, -17.6, -20.2, -23.6, -28),
    "electronic": (-20, -3.5, -8.5, -10.5, -9.5, -14.7, -16.7, -18.4, -21.3, -26),
}
"""The share of each octave in the power of finished music, in dB, by kind of ensemble."""

FINISHED_SIDES_DB = (-40.0, -30.0, -14.0, -8.5, -5.0, -4.0, -4.5, -4.0, -4.0, -6.0)
"""The power of the sides of finished music relative to the middle, in each octave."""

FORECAST_ERROR_DB = (1.1, -0.7, -0.7, 0.9, 1.4, 3.0, 1.3, 0.8, 1.2, 2.0)
"""By how much the octaves of 32 pieces came out higher than forecast: side-chain and compression take from the lows."""

TRUST = 0.8
"""The share of a difference that is corrected: the rest is the character of the piece."""

MOST_DB, MOST_SIDES_DB = 8.0, 6.0
EMPTY_DB = 12.0
"""The difference from which an octave counts as not played: the farther beyond, the less is it raised."""

FIRST_WIDE = 3
"""The lowest octave, from 180 Hz, whose sides are corrected: below, a mix is mono."""

STEP_DB = 0.5
"""The gains are multiples of this."""

ORCHESTRA = frozenset({"strings", "brass", "winds", "voices", "percussion"})
ELECTRONIC = frozenset({"synth", "pads", "chip"})


def tone_of(settings: MixSettings) -> BusTone:
    """Return the tone that the settings of a mix have; those of a score that nobody equalised have none."""
    flat = BusTone()
    return BusTone(settings.octaves_db or flat.octaves_db, settings.sides_db or flat.sides_db)


def forecast_tone(score: Score, energy: Octaves) -> BusTone:
    """Return the tone that brings a score's mix near finished music.

    ``energy`` is that of each octave at the bus, (2, octaves): of the middle and the sides.
    """
    kinds = Counter(ensemble_of(one) for one in map(_played, score.parts) if one.family != "effects")
    middle, sides = energy
    if not kinds or not middle.any():
        return BusTone()
    finished = sum(kinds[kind] * np.array(levels) for kind, levels in FINISHED_DB.items()) / kinds.total()
    missing = finished - _db(middle / middle.sum()) - FORECAST_ERROR_DB
    missing = np.where(missing > EMPTY_DB, np.maximum(0, 2 * EMPTY_DB - missing), missing)
    narrow = np.array(FINISHED_SIDES_DB) - _db(sides / np.maximum(middle, 1e-12))
    narrow[:FIRST_WIDE] = 0
    # Where nobody plays a bass, more of the lowest octave would only be rumble.
    missing[0] = min(missing[0], 0)
    return BusTone(_gains(missing, MOST_DB), _gains(narrow, MOST_SIDES_DB))


def ensemble_of(played: Instrument) -> str:
    """Return the kind of ensemble to which an instrument belongs."""
    if played.source == "synth" or played.family in ELECTRONIC:
        return "electronic"
    if played.family in ORCHESTRA or played.name == "orchestra_kit":
        return "orchestral"
    return "band" if played.is_kit or played.timbre.drive_db else "acoustic"


def _played(part: Part) -> Instrument:
    return instrument(part.instrument)


def _gains(wish_db: Octaves, most_db: float) -> tuple[float, ...]:
    steps = np.rint(np.clip(TRUST * wish_db, -most_db, most_db) / STEP_DB)
    return tuple(float(step) * STEP_DB for step in steps)


def _db(power: Octaves) -> Octaves:
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))
