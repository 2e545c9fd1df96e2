"""Laws of a note's colour: only the onset, never much, and none without chance."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composer.rng import rng_for
from tunesmith.composer.sound.note_colour import COLOURED, DEEPEST, colour

NOISE = rng_for(0, "colour").standard_normal((2, 2 * COLOURED), np.float32)


@pytest.mark.parametrize("chance", [0x1234_5678_9ABC_DEF0, 0xFFFF_0000_FFFF_0000, (1 << 64) - 1])
def test_only_the_onset_changes_and_the_level_hardly(chance: int) -> None:
    coloured = NOISE.copy()
    colour(coloured, chance)
    assert not np.array_equal(coloured[:, :COLOURED], NOISE[:, :COLOURED])
    np.testing.assert_array_equal(coloured[:, COLOURED:], NOISE[:, COLOURED:])
    assert np.std(coloured) == pytest.approx(np.std(NOISE), rel=DEEPEST**2)


def test_without_chance_or_samples_nothing_changes() -> None:
    plain = NOISE.copy()
    colour(plain, 0)
    np.testing.assert_array_equal(plain, NOISE)
    colour(np.zeros((2, 1), np.float32), 5)
