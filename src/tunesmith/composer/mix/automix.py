"""Automatic mixing: the gain of each section and the tone of the bus, as forecast from the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tunesmith.composer.mix.bus_energy import bus_energies
from tunesmith.composer.mix.section_faders import FIXED_ROLES, section_gains
from tunesmith.composer.mix.tone import forecast_tone
from tunesmith.composer.score import Score


def automixed(score: Score) -> Score:
    """Return a score whose quiet sections have a gain, and whose mix has the tone that suits all its parts.

    Sections and settings keep both, so that a note changed in a score file changes the sound of no other part.
    """
    energies = bus_energies(score)
    ridden = [part.role not in FIXED_ROLES for part in score.parts]
    gains = section_gains(score, energies[ridden].sum(axis=0))
    energies[ridden] *= 10 ** (np.array(gains or [0.0])[:, None, None] / 10)
    # The tone suits the mix as it will be, with the sections that are raised.
    tone = forecast_tone(score, energies.sum(axis=(0, 1)))
    sections = tuple(replace(one, gain_db=gain) for one, gain in zip(score.sections, gains, strict=True))
    mix = replace(score.mix, octaves_db=tone.octaves_db, sides_db=tone.sides_db)
    return replace(score, sections=sections, mix=mix)
