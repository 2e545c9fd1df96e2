"""Laws of the part faders: every part is heard while it plays, the lead leads, and no drums cover the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.composer.composition import compose
from tunesmith.composer.mix.automix import bars_of
from tunesmith.composer.mix.bus_energy import bus_energies
from tunesmith.composer.mix.octaves import MIDDLES, Octaves, heard_power
from tunesmith.composer.mix.part_faders import DRUMS, LEAD, OTHERS, STEP_DB, part_gains
from tunesmith.composer.score import Part
from tunesmith.request import GenerationRequest

ROLES = ("drums", "melody", "chords", "bass", "percussion", "effects")
ERROR_DB = 1.5
"""The steps of the gains, and that each fader moves the mix to which the others are compared."""


def parts(*roles: str) -> list[Part]:
    return [Part(role, role, "piano", ()) for role in roles]


def at_levels(*levels_db: float) -> Octaves:
    energies = np.zeros((len(levels_db), 1, 2, len(MIDDLES)))
    energies[:, 0, 0, 5] = 10 ** (np.array(levels_db) / 10)
    return energies


def levels_of(energies: Octaves, gains: tuple[float, ...]) -> list[float]:
    """Return the level of each part relative to the mix while it plays, in dB."""
    power = heard_power(energies) * 10 ** (np.array(gains)[:, None] / 10)
    return [float(10 * np.log10(own.sum() / power[:, own > 0].sum())) for own in power]


@given(st.lists(st.floats(-18, 0), min_size=6, max_size=6))
def test_every_part_is_within_its_bounds_and_effects_stay(levels: list[float]) -> None:
    energies = at_levels(*levels)
    gains = part_gains(parts(*ROLES), energies)
    assert gains[-1] == 0
    drums, lead, *others, _ = levels_of(energies, gains)
    assert drums <= DRUMS.most_db + ERROR_DB
    assert LEAD.least_db - ERROR_DB <= lead <= LEAD.most_db + ERROR_DB
    assert min(others) >= OTHERS.least_db - ERROR_DB


def test_what_is_within_its_bounds_is_left_alone() -> None:
    assert part_gains(parts("drums", "melody", "chords", "bass"), at_levels(-4, -7, -6, -5)) == (0, 0, 0, 0)


def test_who_plays_alone_or_not_at_all_is_left_alone() -> None:
    assert part_gains(parts("melody"), at_levels(-50)) == (0,)
    assert part_gains(parts("melody", "drums"), np.zeros((2, 3, 2, len(MIDDLES)))) == (0, 0)
    assert part_gains([], np.zeros((0, 1, 2, len(MIDDLES)))) == ()


def test_a_part_is_compared_with_those_that_play_in_its_bars() -> None:
    energies = np.zeros((3, 2, 2, len(MIDDLES)))
    energies[0, 0], energies[1, 1], energies[2, 1] = 1, 1e-4, 1.5e-4
    assert part_gains(parts("chords", "bass", "pad"), energies) == (0, 0, 0)


def test_a_guest_moves_no_other_fader() -> None:
    energies = at_levels(-4, -7, -6, -40)
    band = part_gains(parts("drums", "melody", "chords"), energies[:3])
    gains = part_gains(parts("drums", "melody", "chords", "counter"), energies, frozenset({"counter"}))
    assert gains[:3] == band
    assert levels_of(energies, gains)[3] >= OTHERS.least_db - ERROR_DB


def test_a_level_that_a_person_asks_for_is_not_taken_back() -> None:
    plain, soft = (
        compose(GenerationRequest(prompt="boom bap", seed=1, duration=20.0, balance=balance)).score
        for balance in ((), ("drums=-12",))
    )
    before, after = ({part.name: part.gain_db for part in score.parts} for score in (plain, soft))
    assert after["drums"] == pytest.approx(before["drums"] - 12, abs=STEP_DB)


@pytest.mark.parametrize("prompt", ["boom bap", "lofi", "techno", "corporate", "reggae"])
def test_a_composed_piece_hides_no_part(prompt: str) -> None:
    score = compose(GenerationRequest(prompt=prompt, seed=0, duration=40.0)).score
    heard = [part.role != "effects" for part in score.parts]
    energies = bus_energies(replace(score, sections=bars_of(score)))
    levels = levels_of(energies, (0.0,) * len(score.parts))
    assert min(level for level, one in zip(levels, heard, strict=True) if one) >= OTHERS.least_db - ERROR_DB
