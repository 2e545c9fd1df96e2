"""The tone of the bus: an equaliser that brings the octaves of a mix, and the width of each, near finished music's.

A mastering engineer compares a mix with records of its kind and corrects the difference. Here the mix is forecast from
the score, because the first seconds must sound before the rest is rendered: from the notes, the octaves that notes of
their instruments fill (spectra.py), the strips and the reverbs.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.fourier import rfft
from tunesmith.composer.instruments import Instrument, instrument
from tunesmith.composer.mix.automation import CUTOFF, closed_at, open_energy
from tunesmith.composer.mix.channel_strips import STRIPS, channel_of
from tunesmith.composer.mix.eq_response import Band, response
from tunesmith.composer.mix.octaves import GRID, MIDDLES, Octaves, in_octaves
from tunesmith.composer.mix.reverb import impulse_response, reverb_gains
from tunesmith.composer.mix.spectra import part_energy
from tunesmith.composer.render.part_renderer import balance
from tunesmith.composer.score import Part, Score


@dataclass(frozen=True, slots=True)
class BusTone:
    """Gains in dB for each octave: of the whole mix, and of its sides (left minus right), which no mono mix hears."""

    octaves_db: tuple[float, ...] = (0.0,) * len(MIDDLES)
    sides_db: tuple[float, ...] = (0.0,) * len(MIDDLES)


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
"""The gains are multiples of this, so that a note more or less in a score changes no other sound."""

ORCHESTRA = frozenset({"strings", "brass", "winds", "voices", "percussion"})
ELECTRONIC = frozenset({"synth", "pads", "chip"})


def tone_of(score: Score) -> BusTone:
    """Return the tone of the score's bus, which is that of all parts, whatever the intensity."""
    kinds = Counter(ensemble_of(one) for one in map(_played, score.parts) if one.family != "effects")
    middle, sides = forecast_energy(score)
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


def forecast_energy(score: Score) -> Octaves:
    """Return the energy of each octave at the bus, before its equaliser, (2, octaves): of the middle and the sides."""
    sends = reverb_gains(score.mix)
    return np.asarray(sum((_at_bus(part, score, sends) for part in score.parts), np.zeros((2, len(MIDDLES)))))


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


def _at_bus(part: Part, score: Score, sends: tuple[float, float]) -> Octaves:
    """Return the energy of a part at the bus, (2, octaves)."""
    strip, (left, right) = STRIPS[part.role], balance(part.pan)
    energy = part_energy(part, score.tempo_map)
    # Left and right gains turn some of the middle into sides, and the reverse.
    same, other = ((left + right) / 2) ** 2, ((left - right) / 2) ** 2
    energy = (same * energy + other * energy[::-1]) * _strip_power(part.role)
    if channel_of(part).swept:
        energy = energy * _swept_power(score)
    # The reverbs are independent noise left and right: half of what comes in goes to the middle.
    room, hall = sends[0] * strip.room, sends[1] * strip.hall
    wet = room**2 * _reverb_power("room") + hall**2 * _reverb_power("hall")
    return np.asarray(energy + energy.sum(axis=0) / 2 * wet)


@functools.cache
def _strip_power(role: str) -> Octaves:
    """Return the power gain of a role's strip in each octave, (octaves,)."""
    strip = STRIPS[role]
    return _octave_means(np.abs(response(strip.bands, GRID)) ** 2) * 10 ** (strip.gain_db / 10)


def _swept_power(score: Score) -> Octaves:
    """Return the power gain that the low-pass of quiet sections leaves each octave on average, (octaves,)."""
    bars, opened = max(1, score.bars), open_energy(score)
    return np.asarray(sum(_half_closed(sum(closed_at(one, opened)) / 2) * (one.bars / bars) for one in score.sections))


@functools.lru_cache(maxsize=64)
def _half_closed(closed: float) -> Octaves:
    return _octave_means(np.abs(1 - closed + closed * response((Band("low_pass", CUTOFF),), GRID)) ** 2)


@functools.cache
def _reverb_power(name: str) -> Octaves:
    """Return the power gain of a reverb in each octave, (octaves,)."""
    return _octave_means(np.mean(np.abs(rfft(impulse_response(name), 1 << 17)) ** 2, axis=0))


def _octave_means(power: npt.NDArray[np.floating]) -> Octaves:
    return in_octaves(power) / in_octaves(np.ones(len(power)))
