"""What a mix will sound like before it is rendered: the energy of each part at the bus, by section and octave.

It follows from the notes, the octaves that notes of their instruments fill (spectra.py), the strips and the reverbs.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from tunesmith.audio.fourier import rfft
from tunesmith.composer.mix.automation import CUTOFF, closed_at, open_energy
from tunesmith.composer.mix.channel_strips import STRIPS, channel_of
from tunesmith.composer.mix.eq_response import Band, response
from tunesmith.composer.mix.octaves import GRID, MIDDLES, Octaves, in_octaves
from tunesmith.composer.mix.reverb import impulse_response, reverb_gains
from tunesmith.composer.mix.spectra import part_energy
from tunesmith.composer.render.part_renderer import balance
from tunesmith.composer.score import Part, Score


def bus_energies(score: Score) -> Octaves:
    """Return the energy of each part at the bus before its equaliser, (parts, sections, 2, octaves).

    It is of the middle and the sides, in seconds of full-scale power, without the gains of the sections.
    """
    if not score.parts:
        return np.zeros((0, max(1, len(score.sections)), 2, len(MIDDLES)))
    sends = reverb_gains(score.mix)
    return np.stack([_at_bus(part, score, sends) for part in score.parts])


def _at_bus(part: Part, score: Score, sends: tuple[float, float]) -> Octaves:
    """Return the energy of a part, (sections, 2, octaves)."""
    strip, (left, right) = STRIPS[part.role], balance(part.pan)
    borders = [section.bar * score.meter.beats_per_bar for section in score.sections[1:]]
    energy = part_energy(part, score.tempo_map, borders)
    # Left and right gains turn some of the middle into sides, and the reverse.
    same, other = ((left + right) / 2) ** 2, ((left - right) / 2) ** 2
    energy = (same * energy + other * energy[:, ::-1]) * _strip_power(part.role)
    if channel_of(part).swept:
        energy = energy * _swept_power(score)[:, None]
    # The reverbs are independent noise left and right: half of what comes in goes to the middle.
    room, hall = sends[0] * strip.room, sends[1] * strip.hall
    wet = room**2 * _reverb_power("room") + hall**2 * _reverb_power("hall")
    return np.asarray(energy + energy.sum(axis=1, keepdims=True) / 2 * wet)


@functools.cache
def _strip_power(role: str) -> Octaves:
    """Return the power gain of a role's strip in each octave, (octaves,)."""
    strip = STRIPS[role]
    return _octave_means(np.abs(response(strip.bands, GRID)) ** 2) * 10 ** (strip.gain_db / 10)


def _swept_power(score: Score) -> Octaves:
    """Return the power gain that the low-pass leaves each octave in each section, (sections, octaves)."""
    opened = open_energy(score)
    # The middle of what the filter does at both ends stands for the whole sweep of a section.
    return np.array([_half_closed(sum(closed_at(one, opened)) / 2) for one in score.sections] or [_half_closed(0.0)])


@functools.lru_cache(maxsize=64)
def _half_closed(closed: float) -> Octaves:
    return _octave_means(np.abs(1 - closed + closed * response((Band("low_pass", CUTOFF),), GRID)) ** 2)


@functools.cache
def _reverb_power(name: str) -> Octaves:
    """Return the power gain of a reverb in each octave, (octaves,)."""
    return _octave_means(np.mean(np.abs(rfft(impulse_response(name), 1 << 17)) ** 2, axis=0))


def _octave_means(power: npt.NDArray[np.floating]) -> Octaves:
    return in_octaves(power) / in_octaves(np.ones(len(power)))
