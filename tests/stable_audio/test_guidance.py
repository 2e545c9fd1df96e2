"""Guidance: plain, and by adaptive projection."""

from __future__ import annotations

import numpy as np
import pytest
from reference_vectors import Array, relative_error, rows, vectors

from tunesmith.stable_audio.guidance import plain_guidance, projected_guidance
from tunesmith.stable_audio.noise import standard_normals

CONDITIONAL, UNCONDITIONAL, LATENTS = (standard_normals(seed, 0, (20, 8)) for seed in (1, 2, 3))


def conditional(_: Array, __: float) -> Array:
    return CONDITIONAL


def unconditional(_: Array, __: float) -> Array:
    return UNCONDITIONAL


@pytest.mark.parametrize("branch", ["", "_negative"])
def test_projected_guidance_is_the_references(branch: str) -> None:
    file, guided = vectors("sa3_small/dit"), vectors("sa3_small/guidance")
    time = float(file["t"][0])
    # The unconditional velocity is not recorded; plain guidance (no projection) gives it back.
    wanted = rows(file["velocity"])
    away = np.asarray(wanted - (rows(guided[f"velocity_cfg3_apg0{branch}"]) - wanted) / 2, np.float32)
    for projection in (0, 0.5, 1):
        velocity = projected_guidance(lambda *_: wanted, lambda *_: away, 3.0, projection)
        expected = rows(guided[f"velocity_cfg3_apg{projection:g}{branch}"])
        assert relative_error(velocity(rows(file["x"]), time), expected) < 1e-4


def test_without_projection_both_are_the_same() -> None:
    projected = projected_guidance(conditional, unconditional, 4.0, 0.0)(LATENTS, 0.7)
    np.testing.assert_allclose(projected, plain_guidance(conditional, unconditional, 4.0)(LATENTS, 0.7), atol=1e-5)


def test_full_projection_leaves_the_length_along_the_prediction() -> None:
    guided = LATENTS - 0.7 * projected_guidance(conditional, unconditional, 4.0)(LATENTS, 0.7)
    target = LATENTS - 0.7 * CONDITIONAL
    assert np.vdot(guided, target) == pytest.approx(np.vdot(target, target), rel=1e-5)


def test_scale_1_never_calls_the_unconditional_branch() -> None:
    def forbidden(_: Array, __: float) -> Array:
        raise AssertionError

    assert projected_guidance(conditional, forbidden, 1)(LATENTS, 0.7) is CONDITIONAL
    assert plain_guidance(conditional, forbidden, 1)(LATENTS, 0.7) is CONDITIONAL
