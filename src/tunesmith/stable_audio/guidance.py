"""Classifier-free guidance: away from the unconditional prediction, plain or by adaptive projection (APG)."""

from __future__ import annotations

import numpy as np

from tunesmith.stable_audio.noise import Latents
from tunesmith.stable_audio.samplers import VelocityFunction


def plain_guidance(conditional: VelocityFunction, unconditional: VelocityFunction, scale: float) -> VelocityFunction:
    """Return the guided velocity of Stable Audio Open: ``scale`` times the way from unconditional to conditional."""
    if scale == 1:
        return conditional

    def velocity(latents: Latents, time: float) -> Latents:
        away = unconditional(latents, time)
        return np.asarray(away + np.float32(scale) * (conditional(latents, time) - away), np.float32)

    return velocity


def projected_guidance(
    conditional: VelocityFunction, unconditional: VelocityFunction, scale: float, projection: float = 1.0
) -> VelocityFunction:
    """Return the guided velocity of Stable Audio 3, which works on denoised latents at the noise level ``time``.

    ``projection`` 1 keeps only the part of the difference that is orthogonal to the conditional prediction
    (APG, Sadat et al. 2024), which does not oversaturate; 0 is plain guidance.
    """
    if scale == 1:
        return conditional

    def velocity(latents: Latents, time: float) -> Latents:
        target = latents - time * conditional(latents, time)
        difference = target - (latents - time * unconditional(latents, time))
        # In float64: the sums run over all latents and channels.
        wide = target.astype(np.float64)
        # A target of zeros has no direction to project on: 0 / tiny is 0.
        share = np.vdot(difference, wide) / max(np.vdot(wide, wide), np.finfo(np.float64).tiny)
        pushed = difference - np.float32(projection * share) * target
        guided = target + np.float32(scale - 1) * pushed
        return np.asarray((latents - guided) / np.float32(time), np.float32)

    return velocity
