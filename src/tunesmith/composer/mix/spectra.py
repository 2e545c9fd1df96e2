"""Which octaves the notes of each instrument fill, as measured (spectra.json), and those of a whole part."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources

import numpy as np
import numpy.typing as npt

from tunesmith.composer.instruments import instrument
from tunesmith.composer.mix.octaves import MIDDLES, Octaves
from tunesmith.composer.score import Part, TempoMap

MEASURED_SECONDS, MEASURED_VELOCITY = 0.6, 90
"""The notes that were measured."""

VELOCITY_EXPONENT = 4.0
"""Power grows with this power of the velocity, as in SoundFont banks."""

_LONGEST_HALVES = 24

# (pitches, 1 + 2 octaves).
Rows = npt.NDArray[np.float64]


def part_energy(part: Part, tempo: TempoMap) -> Octaves:
    """Return the energy of a part's notes in each octave, (2, octaves): of the middle and the sides, before its strip.

    It is in seconds of full-scale power. The part's gain counts, its pan does not.
    """
    if not part.notes:
        return np.zeros((2, len(MIDDLES)))
    pitches, rows = _spectra(part.instrument)
    pitch = np.array([note.pitch for note in part.notes], np.float64)
    velocity = np.array([note.velocity for note in part.notes], np.float64)
    seconds = np.array([tempo.seconds_at(note.end) - tempo.seconds_at(note.start) for note in part.notes])
    kit = instrument(part.instrument).is_kit
    places = np.interp(pitch, pitches, np.arange(len(pitches)))
    near = np.rint(places).astype(np.int64)
    weight = (velocity / MEASURED_VELOCITY) ** VELOCITY_EXPONENT * 10 ** (part.gain_db / 10)
    if not kit:
        weight = weight * _lengthened(seconds, rows[near, 0])
    # Notes of one pitch share a row, so only the sum of their weights counts.
    total = np.bincount(near, weight, len(pitches)) @ 10 ** (rows[:, 1:] / 10)
    return np.asarray(total.reshape(2, len(MIDDLES)), np.float64)


def _lengthened(seconds: npt.NDArray[np.float64], decay_db: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the energy of notes of some length relative to those that were measured."""

    def grown(halves: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((1 - ratio**halves) / (1 - ratio))

    ratio = np.clip(10 ** (decay_db / 10), 0.01, 0.99)
    # The release counts as a tenth of a second.
    return grown(np.minimum(_LONGEST_HALVES, 2 * seconds + 0.2)) / grown(np.full(1, 2 * MEASURED_SECONDS + 0.2))


@functools.cache
def _table() -> Mapping[str, Mapping[str, list[int]]]:
    text = (resources.files("tunesmith.composer") / "sounds" / "spectra.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, list[int]]] = json.loads(text)
    return table


@functools.cache
def _spectra(name: str) -> tuple[npt.NDArray[np.float64], Rows]:
    """Return the pitches measured of an instrument, ascending, and their rows."""
    rows = _table()[name]
    return np.array([int(pitch) for pitch in rows], np.float64), np.array(list(rows.values()), np.float64)
