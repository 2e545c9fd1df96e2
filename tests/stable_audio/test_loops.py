"""Seamless loops: tries, and what is judged."""

from __future__ import annotations

import numpy as np
from reference_vectors import Array

from tunesmith.stable_audio.inpainting import SampleRegion
from tunesmith.stable_audio.loops import MAX_TRIES, make_seamless

RATE = 8_000
TIME = np.arange(16 * RATE) / RATE
# Half a cycle too much: the end does not lead into the start.
BROKEN = np.stack([np.sin(2 * np.pi * TIME * (200 + 1 / 32))] * 2).astype(np.float32)
WHOLE = np.stack([np.sin(2 * np.pi * TIME * 200)] * 2).astype(np.float32)


def test_a_joint_that_is_repainted_well_takes_one_try() -> None:
    regions: list[SampleRegion] = []

    def repaint(samples: Array, region: SampleRegion, _: int) -> Array:
        regions.append(region)
        repainted = samples.copy()
        repainted[:, region.first : region.last] = WHOLE[:, region.first : region.last]
        return repainted

    loop = make_seamless(WHOLE, RATE, repaint)
    assert loop.tries == len(regions) == 1
    assert not loop.seam.is_audible
    assert regions[0] == SampleRegion(8 * RATE - 2 * RATE, 8 * RATE + 2 * RATE)
    np.testing.assert_allclose(loop.samples, WHOLE, atol=1e-6)


def test_a_seam_that_is_audible_is_tried_again_and_the_best_is_taken() -> None:
    clicks = iter([0.9, 0.4, 0.6])

    def repaint(samples: Array, region: SampleRegion, _: int) -> Array:
        middle = (region.first + region.last) // 2
        repainted = samples.copy()
        repainted[:, middle] += 100 * next(clicks)
        return repainted

    loop = make_seamless(WHOLE, RATE, repaint)
    assert loop.tries == MAX_TRIES
    assert loop.seam.is_audible
    assert loop.samples[:, 0].max() < 50


def test_a_seam_that_only_moved_to_the_edge_of_the_region_is_audible() -> None:
    def repaint(samples: Array, region: SampleRegion, _: int) -> Array:
        repainted = samples.copy()
        repainted[:, region.first :] *= -1
        repainted[:, region.first] = 5
        return repainted

    assert make_seamless(BROKEN, RATE, repaint).tries == MAX_TRIES
