"""Noise levels of walks from audio, by model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reference_vectors import vectors
from tiny_stable_audio import OPEN_SMALL, THIRD

from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.audio_to_audio import noise_levels

OPEN = replace(OPEN_SMALL, objective="v")


def test_the_reference_schedule_is_that_of_the_recorded_run() -> None:
    levels = noise_levels(THIRD, 8, 0.6, "reference")
    np.testing.assert_allclose(levels, vectors("sa3_small/schedules")["sigma_0.6"], atol=1e-6)
    assert levels[1] > levels[0]


@pytest.mark.parametrize("strength", [0.05, 0.3, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("architecture", [THIRD, OPEN_SMALL, OPEN])
def test_usually_the_levels_only_fall(architecture: StableAudioArchitecture, strength: float) -> None:
    levels = noise_levels(architecture, 12, strength)
    assert (np.diff(levels) < 0).all()
    assert levels[-1] == 0
    assert 3 <= len(levels) - 1 <= 12


def test_strength_is_the_share_of_noise_in_the_first_mix() -> None:
    assert noise_levels(THIRD, 8, 0.6)[0] == np.float32(0.6)
    assert noise_levels(OPEN_SMALL, 8, 0.6)[0] == np.float32(0.6)
    sigma = noise_levels(OPEN, 100, 0.6)[0]
    assert sigma / (1 + sigma) == pytest.approx(0.6)


@pytest.mark.parametrize("architecture", [THIRD, OPEN_SMALL, OPEN])
def test_strength_0_takes_no_step(architecture: StableAudioArchitecture) -> None:
    assert noise_levels(architecture, 8, 0.0).tolist() == [0.0]


def test_few_steps_stay_few() -> None:
    assert len(noise_levels(THIRD, 2, 0.5)) - 1 == 2
