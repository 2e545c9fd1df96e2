from __future__ import annotations

import numpy as np
import pytest
from reference_vectors import relative_error, vectors

from tunesmith.stable_audio.fourier_features import fourier_features, frequencies


def test_frequencies_are_even_in_the_logarithm() -> None:
    found = frequencies()
    assert (found[0], found[-1]) == pytest.approx((0.5, 10_000))
    np.testing.assert_allclose(np.diff(np.log(found)), np.log(20_000) / 127, rtol=1e-4)


def test_frequencies_are_those_of_the_reference() -> None:
    assert relative_error(frequencies(), vectors("sa3_small/seconds")["frequencies"]) < 1e-6


def test_cosines_come_first() -> None:
    low = fourier_features(np.array([0, 0.25], np.float32))
    assert low.shape == (2, 256)
    assert low[0].tolist() == [1] * 128 + [0] * 128
    # Half a cycle: an eighth of a turn.
    assert low[1, [0, 128]].tolist() == pytest.approx([np.sqrt(0.5)] * 2)
