"""The noise of Stable Audio: normal, keyed, and the same on every platform."""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.special import ndtri

from tunesmith.stable_audio.noise import noise_source, normal_quantiles, standard_normals


def test_the_numbers_are_standard_normal() -> None:
    noise = standard_normals(7, 0, (4000, 64)).astype(np.float64)
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs((noise**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.01


def test_a_longer_piece_begins_with_the_noise_of_a_shorter_one() -> None:
    np.testing.assert_array_equal(standard_normals(3, 2, (50, 8))[:20], standard_normals(3, 2, (20, 8)))


def test_every_seed_step_and_run_has_noise_of_its_own() -> None:
    keys = [(1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (2**53 - 1, 0, 0)]
    starts = {standard_normals(seed, step, (4, 4), run).tobytes() for seed, step, run in keys}
    assert len(starts) == len(keys)


def test_a_source_gives_the_noise_of_its_steps() -> None:
    source = noise_source(5, 6, 4, run=1)
    np.testing.assert_array_equal(source(3), standard_normals(5, 3, (6, 4), 1))
    assert source(3).dtype == np.float32


def test_the_bits_are_those_of_every_platform() -> None:
    # Only IEEE 754's exactly rounded operations lead here, so a change means other music for every old seed.
    digest = hashlib.sha256(standard_normals(2026, 1, (1000, 64)).astype("<f4").tobytes()).hexdigest()
    assert digest == "329610dc39982e4c86d59203d271a66c8b9860770830c4ca4c7ca9ad0295ae12"


def test_the_quantiles_are_exact_in_the_centre_and_in_both_tails() -> None:
    probability = np.concatenate([np.geomspace(1e-300, 0.5, 2000), 1 - np.geomspace(2**-53, 0.5, 2000)])
    np.testing.assert_allclose(normal_quantiles(probability), ndtri(probability), rtol=1e-13, atol=1e-13)
