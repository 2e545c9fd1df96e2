"""Automatic mixing: the gain of each part and section and the tone of the bus, as forecast from the score."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

import numpy as np

from tunesmith.composer.mix.bus_energy import bus_energies
from tunesmith.composer.mix.octaves import Octaves
from tunesmith.composer.mix.part_faders import part_gains
from tunesmith.composer.mix.section_faders import FIXED_ROLES, section_gains
from tunesmith.composer.mix.tone import forecast_tone
from tunesmith.composer.score import Score, Section


def automixed(score: Score, asked_db: Sequence[float] = (), guests: Set[str] = frozenset()) -> Score:
    """Return a score whose parts are all heard, whose quiet sections have a gain, and whose mix suits them in tone.

    ``asked_db`` is how much of each part's gain a person asked for, which no fader takes back; ``guests`` are the names
    of parts that move no other part's fader. Parts, sections and settings keep their gains, so that a note changed in a
    score file changes the sound of no other part.
    """
    energies = bus_energies(replace(score, sections=bars_of(score)))
    # A part is compared with those that play in the same bars.
    asked = _power_gain(asked_db or (0.0,) * len(score.parts))
    faders = part_gains(score.parts, energies / asked, guests)
    parts = tuple(replace(part, gain_db=part.gain_db + gain) for part, gain in zip(score.parts, faders, strict=True))
    energies = _by_section(score, energies * _power_gain(faders))
    ridden = [part.role not in FIXED_ROLES for part in score.parts]
    gains = section_gains(score, energies[ridden].sum(axis=0))
    energies[ridden] *= 10 ** (np.array(gains or [0.0])[:, None, None] / 10)
    # The tone suits the mix as it will be, with the sections that are raised.
    tone = forecast_tone(score, energies.sum(axis=(0, 1)))
    sections = tuple(replace(one, gain_db=gain) for one, gain in zip(score.sections, gains, strict=True))
    mix = replace(score.mix, octaves_db=tone.octaves_db, sides_db=tone.sides_db)
    return replace(score, parts=parts, sections=sections, mix=mix)


def bars_of(score: Score) -> tuple[Section, ...]:
    """Return each bar as a section of its own."""
    return tuple(
        replace(section, bar=bar, bars=1)
        for section in score.sections
        for bar in range(section.bar, section.bar + section.bars)
    )


def _by_section(score: Score, energies: Octaves) -> Octaves:
    """Add the energies of bars, (parts, bars, …), to those of sections, (parts, sections, …)."""
    first_bars = np.cumsum([0, *(section.bars for section in score.sections)])[:-1]
    return np.add.reduceat(energies, first_bars if score.sections else [0], axis=1)


def _power_gain(gains_db: Sequence[float]) -> Octaves:
    """Return the power gain of each part, (parts, 1, 1, 1)."""
    return np.asarray(10 ** (np.array(gains_db, np.float64) / 10))[:, None, None, None]
