"""Ambience: endless, equally loud, wide, and the same for the same chance."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio.buffer import Samples
from tunesmith.composer.rng import rng_for
from tunesmith.composer.sound.ambience import AMBIENCES, LOUDNESS_LUFS, ambience_texture
from tunesmith.composer.sound.ambience.loop_noise import band, interpolated, noise
from tunesmith.composer.sound.ambience.loudness import loudness_lufs
from tunesmith.composer.sound.voice import SAMPLE_RATE
from tunesmith.errors import UnknownName

SPARSE = {"fire", "vinyl"}  # single clicks may reach the peak limit first


def texture(name: str, seconds: float = 3.0, seed: int = 1) -> Samples:
    return ambience_texture(name, seconds, rng_for(seed, "ambience", name))


@pytest.mark.parametrize("name", sorted(AMBIENCES))
def test_a_texture_is_sound_of_the_length_asked_for(name: str) -> None:
    samples = texture(name, 2.345)
    assert samples.dtype == np.float32
    assert samples.shape == (2, round(2.345 * SAMPLE_RATE))
    assert np.isfinite(samples).all()
    assert np.abs(samples.mean(axis=1)).max() < 1e-4
    assert np.abs(samples).max() < 1


@pytest.mark.parametrize("name", sorted(AMBIENCES))
def test_its_end_meets_its_start(name: str) -> None:
    samples = texture(name)
    seam = np.abs(samples[:, 0] - samples[:, -1]).max()
    steps = np.abs(np.diff(samples, axis=1))
    assert seam <= steps.max()
    around = np.roll(samples, SAMPLE_RATE, axis=1)[:, SAMPLE_RATE - 2_000 : SAMPLE_RATE + 2_000]
    assert np.sqrt(np.mean(around**2)) < 4 * np.sqrt(np.mean(samples**2))


@pytest.mark.parametrize("name", sorted(AMBIENCES))
def test_all_are_equally_loud(name: str) -> None:
    assert loudness_lufs(texture(name)) == pytest.approx(LOUDNESS_LUFS, abs=4 if name in SPARSE else 0.2)


@pytest.mark.parametrize("name", sorted(AMBIENCES))
def test_left_and_right_differ_yet_go_together_in_mono(name: str) -> None:
    samples = texture(name)
    left, right = samples / np.linalg.norm(samples, axis=1, keepdims=True)
    assert -0.6 < float(left @ right) < 0.95


@pytest.mark.parametrize("name", ["rain", "crowd", "city"])
def test_the_same_chance_gives_the_same_bytes(name: str) -> None:
    assert texture(name, 1.0).tobytes() == texture(name, 1.0).tobytes()
    assert texture(name, 1.0).tobytes() != texture(name, 1.0, seed=2).tobytes()


@pytest.mark.parametrize("name", sorted(AMBIENCES))
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.3])
def test_even_the_shortest_texture_sounds(name: str, seconds: float) -> None:
    assert np.isfinite(texture(name, seconds)).all()


def test_an_unknown_ambience_names_its_nearest() -> None:
    with pytest.raises(UnknownName, match="rain"):
        texture("rian")


def test_a_filtered_circle_is_a_circle() -> None:
    signal = noise(SAMPLE_RATE, np.random.default_rng(1))
    turned = np.roll(signal, 12_345)
    np.testing.assert_allclose(np.roll(band(signal, 200, 2_000), 12_345), band(turned, 200, 2_000), atol=1e-3)


def test_a_slow_curve_is_a_circle() -> None:
    curve = interpolated(np.random.default_rng(1).uniform(0, 1, 7), 10_000)
    assert abs(float(curve[0] - curve[-1])) <= np.abs(np.diff(curve)).max() * 1.01


def test_a_full_scale_sine_at_1_khz_on_one_side_is_minus_3_lufs() -> None:
    time = np.arange(SAMPLE_RATE * 2) / SAMPLE_RATE
    sine = np.stack([np.sin(2 * np.pi * 997 * time), np.zeros(time.size)]).astype(np.float32)
    assert loudness_lufs(sine) == pytest.approx(-3.01, abs=0.05)
