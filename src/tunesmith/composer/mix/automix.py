"""Automatic mixing: the gain of each part and section and the tone of the bus, as forecast from the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tunesmith.composer.mix.bus_energy import bus_energies
from tunesmith.composer.mix.part_faders import part_gains
from tunesmith.composer.mix.section_faders import FIXED_ROLES, section_gains
from tunesmith.composer.mix.tone import forecast_tone
from tunesmith.composer.score import Score


def automixed(score: Score, asked_db: Sequence[float] = ()) -> Score:
    """Return a score whose parts are all heard, whose quiet sections have a gain, and whose mix suits them in tone.

    ``asked_db`` is how much of each part's gain a person asked for, which no fader takes back. Parts, sections and
    settings keep their gains, so that a note changed in a score file changes the sound of no other part.
    """
    score = _balanced(score, asked_db or (0.0,) * len(score.parts))
    energies = bus_energies(score)
    ridden = [part.role not in FIXED_ROLES for part in score.parts]
    gains = section_gains(score, energies[ridden].sum(axis=0))
    energies[ridden] *= 10 ** (np.array(gains or [0.0])[:, None, None] / 10)
    # The tone suits the mix as it will be, with the sections that are raised.
    tone = forecast_tone(score, energies.sum(axis=(0, 1)))
    sections = tuple(replace(one, gain_db=gain) for one, gain in zip(score.sections, gains, strict=True))
    mix = replace(score.mix, octaves_db=tone.octaves_db, sides_db=tone.sides_db)
    return replace(score, sections=sections, mix=mix)


def _balanced(score: Score, asked_db: Sequence[float]) -> Score:
    as_written = [
        replace(part, gain_db=part.gain_db - asked) for part, asked in zip(score.parts, asked_db, strict=True)
    ]
    # A part is compared with those that play in the same bars.
    bars = tuple(
        replace(section, bar=bar, bars=1)
        for section in score.sections
        for bar in range(section.bar, section.bar + section.bars)
    )
    gains = part_gains(as_written, bus_energies(replace(score, parts=tuple(as_written), sections=bars)))
    parts = (replace(part, gain_db=part.gain_db + gain) for part, gain in zip(score.parts, gains, strict=True))
    return replace(score, parts=tuple(parts))
