"""Which octaves the notes of each instrument fill, as measured (spectra.json), and those of a whole part."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunesmith.composer.instruments import instrument
from tunesmith.composer.mix.octaves import MIDDLES, Octaves
from tunesmith.composer.score import Part, TempoMap

MEASURED_VELOCITY = 76
"""The velocity of the notes that were measured."""

VELOCITY_EXPONENT = 4.0
"""Power grows with this power of the velocity, as in SoundFont banks."""

HIGH = 7
"""The first of the octaves, from 2.8 kHz on, that have a decay of their own: noise is gone before the tone."""

_LONGEST_HALVES = 24

Floats = npt.NDArray[np.float64]
# (pitches, 3 + 2 octaves): the length measured in tenths of a second, how far low and high octaves of a held note fall
# in half a second in dB, the energies of the middle and of the sides in dB.
Rows = Floats


def part_energy(part: Part, tempo: TempoMap, borders: Sequence[float] = ()) -> Octaves:
    """Return the energy of a part's notes in each octave, (stretches, 2, octaves): of the middle and the sides.

    It is in seconds of full-scale power, before the part's strip. The part's gain counts, its pan does not.
    ``borders`` are the beats at which one stretch ends and the next begins; a note counts where it starts.
    """
    if not part.notes:
        return np.zeros((len(borders) + 1, 2, len(MIDDLES)))
    pitches, rows = _spectra(part.instrument)
    pitch = np.array([note.pitch for note in part.notes], np.float64)
    velocity = np.array([note.velocity for note in part.notes], np.float64)
    start = np.array([note.start for note in part.notes])
    seconds = np.array([tempo.seconds_at(note.end) - tempo.seconds_at(note.start) for note in part.notes])
    weight = (velocity / MEASURED_VELOCITY) ** VELOCITY_EXPONENT * 10 ** (part.gain_db / 10)
    places = np.interp(pitch, pitches, np.arange(len(pitches)))
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, len(pitches) - 1)
    # A note that starts on a border belongs to what begins there.
    heard = _Heard(
        np.searchsorted(np.asarray(borders, np.float64), start, side="right"),
        len(borders) + 1,
        None if instrument(part.instrument).is_kit else seconds,
    )
    # Between two pitches that were measured, a note has some of both: its partials may lie in either one's octaves.
    return _summed(rows, below, weight * (below + 1 - places), heard) + _summed(
        rows, above, weight * (places - below), heard
    )


class _Heard(NamedTuple):
    """Where notes sound, and how long: the ``stretch`` of each, of so many, and ``seconds``, None for drums."""

    stretch: npt.NDArray[np.int64]
    num_stretches: int
    seconds: Floats | None


def _summed(rows: Rows, near: npt.NDArray[np.int64], weight: Floats, heard: _Heard) -> Octaves:
    """Return the energy of notes that sound like the rows ``near``, (stretches, 2, octaves)."""
    energies = 10 ** (rows[:, 3:].reshape(len(rows), 2, len(MIDDLES)) / 10)
    total = np.empty((heard.num_stretches, 2, len(MIDDLES)))
    for decay, octaves in enumerate((slice(HIGH), slice(HIGH, None))):
        grown = weight
        # Drums ring as long as they do.
        if heard.seconds is not None:
            grown = weight * _lengthened(heard.seconds, rows[near, 0] / 10, rows[near, 1 + decay])
        # Notes of one pitch share a row, so only the sum of their weights counts.
        sums = np.bincount(heard.stretch * len(rows) + near, grown, heard.num_stretches * len(rows))
        total[:, :, octaves] = np.tensordot(sums.reshape(heard.num_stretches, len(rows)), energies[:, :, octaves], 1)
    return total


def _lengthened(seconds: Floats, measured: Floats, decay_db: Floats) -> Floats:
    """Return the energy of notes of some length relative to those that were measured."""
    ratio = np.clip(10 ** (decay_db / 10), 0.01, 0.99)

    def grown(length: Floats) -> Floats:
        # The release counts as a tenth of a second.
        return np.asarray(1 - ratio ** np.minimum(_LONGEST_HALVES, 2 * length + 0.2))

    return grown(seconds) / grown(measured)


@functools.cache
def _table() -> Mapping[str, Mapping[str, list[int]]]:
    text = (resources.files("tunesmith.composer") / "sounds" / "spectra.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, list[int]]] = json.loads(text)
    return table


@functools.cache
def _spectra(name: str) -> tuple[Floats, Rows]:
    """Return the pitches measured of an instrument, ascending, and their rows."""
    rows = _table()[name]
    return np.array([int(pitch) for pitch in rows], np.float64), np.array(list(rows.values()), np.float64)
