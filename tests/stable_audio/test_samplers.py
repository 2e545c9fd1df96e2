"""Samplers step by step against what the reference recorded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from reference_vectors import Array, facts, relative_error, rows, vectors

from tunesmith.stable_audio import samplers
from tunesmith.stable_audio.noise import standard_normals
from tunesmith.stable_audio.schedules import exponential_schedule, open_schedule, schedule

TOLERANCE = 1e-4


class Recorded:
    """The velocities of a recorded run: each from the latents that the reference had then, which are compared too."""

    def __init__(self, inputs: Array, denoised: Array, levels: Array) -> None:
        self.velocities = (inputs - denoised) / levels[:-1, None, None]
        self.inputs = inputs
        self.worst = 0.0
        self._step = 0

    def __call__(self, latents: Array, _: float) -> Array:
        self.worst = max(self.worst, relative_error(latents, self.inputs[self._step]))
        self._step += 1
        return np.asarray(self.velocities[self._step - 1], np.float32)


def noise_of(array: Array) -> Callable[[int], Array]:
    return lambda step: array[step]


@pytest.mark.parametrize("name", ["sa3_small/generate_exact", "sao_small/generate", "sao_small/generate_guided"])
def test_ping_pong_takes_the_references_steps(name: str) -> None:
    file = vectors(name)
    steps = len(file["x"])
    levels = schedule(steps) if name.startswith("sa3") else open_schedule(steps)
    denoised = rows(file["denoised"])
    recorded = Recorded(rows(file["x"]), denoised, levels)
    results = list(samplers.ping_pong(recorded, levels, noise_of(rows(file["noise"]))))
    assert recorded.worst < TOLERANCE
    for result, expected in zip(results, denoised, strict=True):
        assert relative_error(result, expected) < TOLERANCE


def test_ping_pong_starts_from_audio_mixed_with_noise() -> None:
    file = vectors("sao_small/audio_to_audio")
    strength = facts("sao_small/audio_to_audio")["sigma_max"]
    levels = open_schedule(8, strength)
    recorded = Recorded(rows(file["x"]), rows(file["denoised"]), levels)
    *_, result = samplers.ping_pong(recorded, levels, noise_of(rows(file["noise"])), rows(file["init"]))
    assert recorded.worst < TOLERANCE
    assert relative_error(result, rows(file["latents"])) < TOLERANCE


def test_the_noise_after_the_last_step_is_never_drawn() -> None:
    drawn: list[int] = []

    def noise(step: int) -> Array:
        drawn.append(step)
        return standard_normals(1, step, (6, 4))

    list(samplers.ping_pong(lambda latents, _: latents, schedule(4), noise))
    assert drawn == [0, 1, 2, 3]


def test_without_steps_the_audio_itself_is_the_result() -> None:
    audio = standard_normals(9, 0, (6, 4))
    walk = samplers.ping_pong(lambda latents, _: latents, np.zeros(1, np.float32), lambda _: audio, audio)
    assert list(walk) == []


@pytest.mark.parametrize("name", ["generate_3m_sde", "audio_to_audio_3m_sde"])
def test_dpmpp_3m_sde_takes_the_references_steps(name: str) -> None:
    file = vectors(f"sao_1_0/{name}")
    denoised, inputs = rows(file["denoised"]), rows(file["x"])
    noise = np.concatenate([rows(file["start"])[None], rows(file["noise"])])
    seen: list[Array] = []

    def denoise(latents: Array, _: float) -> Array:
        seen.append(latents)
        return np.asarray(denoised[len(seen) - 1])

    initial = rows(file["init"]) if "init" in file else None
    levels = exponential_schedule(12, facts(f"sao_1_0/{name}")["sigma_max"])
    *_, result = samplers.dpmpp_3m_sde(denoise, levels, noise_of(noise), initial)
    assert max(map(relative_error, seen, inputs)) < TOLERANCE
    assert relative_error(result, rows(file["latents"])) < TOLERANCE


def test_the_second_order_solver_takes_diffusers_steps() -> None:
    file = vectors("sao_1_0/generate_diffusers")
    inputs, velocities = rows(file["x"]), rows(file["velocity"])
    noise = np.concatenate([rows(file["start"])[None], rows(file["noise"])])
    seen: list[tuple[Array, float]] = []

    def velocity(latents: Array, time: float) -> Array:
        seen.append((latents, time))
        return np.asarray(velocities[len(seen) - 1])

    levels = exponential_schedule(12)
    *_, result = samplers.cosine_dpm_2m_sde(samplers.v_denoiser(velocity), levels, noise_of(noise))
    scales = np.sqrt(levels[:-1].astype(np.float64) ** 2 + 1)
    assert max(relative_error(x * scale, y) for (x, _), scale, y in zip(seen, scales, inputs, strict=True)) < TOLERANCE
    np.testing.assert_allclose([time for _, time in seen], file["timesteps"], rtol=1e-5)
    assert relative_error(result, rows(file["latents"])) < TOLERANCE


def test_euler_follows_a_straight_path_exactly_in_any_number_of_steps() -> None:
    noise, target = standard_normals(1, 0, (6, 4)), standard_normals(2, 0, (6, 4))
    for steps in (1, 7, 50):
        *_, result = samplers.euler(lambda _, __: noise - target, schedule(steps), lambda _: noise)
        np.testing.assert_allclose(result, target, atol=1e-5)
