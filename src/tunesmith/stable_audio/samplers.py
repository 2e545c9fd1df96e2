"""Samplers: the walk from noise to latents, one network call a step.

Every sampler is an iterator of the denoised latents (latents, channels) of each step; the last is the result, and the
caller may stop between steps. ``levels`` are (steps + 1,) noise levels, the last 0. ``initial`` are the latents of
audio to start from. Where there is no step, the result is ``initial``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from tunesmith.stable_audio.architecture import Objective
from tunesmith.stable_audio.noise import Latents, NoiseSource
from tunesmith.stable_audio.schedules import NoiseLevels

VelocityFunction = Callable[[Latents, float], Latents]
"""The network: latents and the time of the step, 0 to 1, to the velocity."""
Denoiser = Callable[[Latents, float], Latents]
"""Latents and their noise level to the denoised latents."""


def ping_pong(
    velocity: VelocityFunction, levels: NoiseLevels, noise: NoiseSource, initial: Latents | None = None
) -> Iterator[Latents]:
    """Denoise fully at every step and add fresh noise of the next level (rf_denoiser; Stable Audio 3, Open Small)."""
    latents = _mixed(noise, levels, initial)
    for step, (level, following) in enumerate(_pairs(levels), start=1):
        denoised = latents - level * velocity(latents, float(level))
        yield denoised
        if following > 0:
            latents = (1 - following) * denoised + following * noise(step)


def euler(
    velocity: VelocityFunction, levels: NoiseLevels, noise: NoiseSource, initial: Latents | None = None
) -> Iterator[Latents]:
    """Follow the velocity in straight lines (rectified_flow; the base models of Stable Audio 3)."""
    latents = _mixed(noise, levels, initial)
    for level, following in _pairs(levels):
        slope = velocity(latents, float(level))
        # Where the straight line meets noise level 0: the denoised latents as seen from this step.
        yield latents - level * slope
        latents = latents + (following - level) * slope


def v_denoiser(velocity: VelocityFunction) -> Denoiser:
    """Return the denoiser of a network that predicts v, around sigma (k-diffusion's VDenoiser)."""

    def denoise(latents: Latents, sigma: float) -> Latents:
        # Sound of variance 1 plus noise of variance sigma²: divided by the scale, the network's input has variance 1.
        scale = math.sqrt(sigma * sigma + 1)
        # The network's time is an angle: sigma from 0 to infinity becomes 0 to 1.
        predicted = velocity((latents / scale).astype(np.float32), math.atan(sigma) * 2 / math.pi)
        return np.asarray(latents / (scale * scale) - sigma / scale * predicted, np.float32)

    return denoise


def dpmpp_3m_sde(
    denoise: Denoiser, levels: NoiseLevels, noise: NoiseSource, initial: Latents | None = None
) -> Iterator[Latents]:
    """Walk with DPM-Solver++ (3M) SDE at eta 1 (Stable Audio Open 1.0 in stable-audio-tools)."""
    latents = noise(0) * levels[0] + (0 if initial is None else initial)
    # The earlier steps, latest first: denoised latents and sizes in log sigma.
    earlier: deque[tuple[Latents, float]] = deque(maxlen=2)
    for step, (level, following) in enumerate(_pairs(levels), start=1):
        denoised = denoise(latents, float(level))
        yield denoised
        if following <= 0:
            return
        size = math.log(level / following)
        # expm1 keeps the digits that exp(x) - 1 loses in a small step.
        latents = math.exp(-2 * size) * latents - math.expm1(-2 * size) * denoised
        latents = latents + _multistep_correction(denoised, size, earlier)
        latents = np.asarray(latents + following * math.sqrt(-math.expm1(-2 * size)) * noise(step), np.float32)
        earlier.appendleft((denoised, size))


def cosine_dpm_2m_sde(
    denoise: Denoiser, levels: NoiseLevels, noise: NoiseSource, initial: Latents | None = None
) -> Iterator[Latents]:
    """Walk with diffusers' CosineDPMSolverMultistep: second order, SDE, midpoint (Stable Audio Open 1.0 in diffusers).

    diffusers adds ``initial`` to noise at full level, where it hardly counts.
    """
    latents = noise(0) * math.sqrt(levels[0] ** 2 + 1) + (0 if initial is None else initial)
    before: tuple[Latents, float] | None = None
    for step, (level, following) in enumerate(_pairs(levels), start=1):
        denoised = denoise(latents, float(level))
        yield denoised
        if following <= 0:
            return
        size = math.log(level / following)
        # expm1 keeps the digits that 1 - exp(x) loses in a small step.
        growth = -math.expm1(-2 * size)
        latents = following / level * math.exp(-size) * latents + growth * denoised
        # The first step has none before it, so it is of first order.
        if before is not None:
            latents = latents + 0.5 * growth * (denoised - before[0]) * (size / before[1])
        latents = np.asarray(latents + following * math.sqrt(growth) * noise(step), np.float32)
        before = denoised, size


def sample(
    objective: Objective, velocity: VelocityFunction, levels: NoiseLevels, noise: NoiseSource,
    initial: Latents | None = None, *, as_diffusers: bool = False,
) -> Iterator[Latents]:  # fmt: skip
    """Walk with the sampler of a model by what its network was trained to predict.

    Predicted v has two: that of stable-audio-tools, and, ``as_diffusers``, that of diffusers.
    """
    if objective == "v":
        walk = cosine_dpm_2m_sde if as_diffusers else dpmpp_3m_sde
        return walk(v_denoiser(velocity), levels, noise, initial)
    return (euler if objective == "rectified_flow" else ping_pong)(velocity, levels, noise, initial)


def _mixed(noise: NoiseSource, levels: NoiseLevels, initial: Latents | None) -> Latents:
    if initial is None:
        return noise(0)
    # Rectified flow is trained on straight lines from sound to noise, hence this sum.
    return np.asarray((1 - levels[0]) * initial + levels[0] * noise(0), np.float32)


def _pairs(levels: NoiseLevels) -> Iterator[tuple[np.float32, np.float32]]:
    return pairwise(levels)


def _multistep_correction(denoised: Latents, size: float, earlier: deque[tuple[Latents, float]]) -> Latents | float:
    """Return what the earlier steps add to a step of ``size`` in log sigma; nothing at the first."""
    if not earlier:
        return 0.0
    # phi 2 of DPM-Solver++ (Lu and others, 2022); the doubled step is that of eta 1.
    second = math.expm1(-2 * size) / (2 * size) + 1
    before, ratio = earlier[0][0], earlier[0][1] / size
    slope = (denoised - before) / ratio
    if len(earlier) == 1:
        return second * slope
    older_ratio = earlier[1][1] / size
    older_slope = (before - earlier[1][0]) / older_ratio
    bend = (slope - older_slope) / (ratio + older_ratio)
    # phi 3 of the same.
    third = second / (2 * size) - 0.5
    return np.asarray(second * (slope + bend * ratio) - third * bend, np.float32)
