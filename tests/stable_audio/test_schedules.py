"""Noise schedules against the reference's, and the laws of our own."""

from __future__ import annotations

import numpy as np
import pytest
from reference_vectors import facts, vectors

from tunesmith.stable_audio.schedules import exponential_schedule, monotonic_schedule, open_schedule, schedule


@pytest.mark.parametrize("start", [0.1, 0.4, 0.6, 0.9, 1])
def test_the_schedule_from_any_start_is_the_references(start: float) -> None:
    expected = vectors("sa3_small/schedules")[f"sigma_{start:g}"]
    np.testing.assert_allclose(schedule(8, start), expected, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_the_schedule_of_any_number_of_steps_is_the_references(steps: int) -> None:
    np.testing.assert_allclose(schedule(steps), vectors("sa3_small/schedules")[f"steps_{steps}"], atol=1e-6)


@pytest.mark.parametrize("name", ["generate", "generate_guided", "audio_to_audio"])
def test_the_schedule_of_open_small_is_the_references(name: str) -> None:
    settings = facts(f"sao_small/{name}")
    levels = open_schedule(settings["steps"], settings["sigma_max"])
    np.testing.assert_allclose(levels[:-1], vectors(f"sao_small/{name}")["sigmas"], atol=1e-6)
    assert levels[-1] == 0


@pytest.mark.parametrize("name", ["generate_3m_sde", "audio_to_audio_3m_sde", "generate_diffusers"])
def test_the_schedule_of_open_1_0_is_the_references(name: str) -> None:
    settings = facts(f"sao_1_0/{name}")
    levels = exponential_schedule(settings["steps"], settings.get("sigma_max", 500.0))
    np.testing.assert_allclose(levels, vectors(f"sao_1_0/{name}")["sigmas"], rtol=1e-5)


@pytest.mark.parametrize("strength", [0.02, 0.1, 0.12, 0.4, 0.6, 0.9, 0.999, 1.0])
def test_the_monotonic_schedule_only_falls_from_the_strength_to_0(strength: float) -> None:
    levels = monotonic_schedule(8, strength)
    assert levels[0] == np.float32(strength)
    assert levels[-1] == 0
    assert (np.diff(levels) < 0).all()
    assert 3 <= len(levels) - 1 <= 8


def test_a_stronger_walk_takes_more_steps_and_at_1_is_the_whole_schedule() -> None:
    steps = [len(monotonic_schedule(50, strength)) for strength in (0.2, 0.5, 0.8, 0.95, 1.0)]
    assert steps == sorted(steps)
    np.testing.assert_array_equal(monotonic_schedule(8, 1.0), schedule(8))


def test_strength_0_takes_no_step() -> None:
    assert monotonic_schedule(8, 0.0).tolist() == [0.0]
