"""Filters: three decibels down at the cutoff, and steady when it moves."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composer.sound.synth.filters import GRID, moving_filter, sections, static_filter
from tunesmith.composer.sound.voice import SAMPLE_RATE


def gain_db(kind: str, cutoff: float, frequency: float) -> float:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    sine = np.sin(2 * np.pi * frequency * time, dtype=np.float64).astype(np.float32)[None]
    heard = static_filter(sine, kind, cutoff, 0.7071)[:, SAMPLE_RATE // 2 :]
    return float(10 * np.log10(np.mean(heard**2) / 0.5))


@pytest.mark.parametrize("kind", ["low12", "low24", "high12"])
@pytest.mark.parametrize("cutoff", [200.0, 1_000.0, 5_000.0])
def test_the_cutoff_is_three_decibels_down(kind: str, cutoff: float) -> None:
    assert gain_db(kind, cutoff, cutoff) == pytest.approx(-3.01, abs=0.1)


def test_the_slopes_are_12_and_24_db_an_octave() -> None:
    assert gain_db("low12", 500, 2_000) == pytest.approx(-24, abs=1)
    assert gain_db("low24", 500, 2_000) == pytest.approx(-48, abs=1)


def test_a_band_passes_its_middle() -> None:
    assert gain_db("band", 1_000, 1_000) == pytest.approx(0, abs=0.1)


def test_a_cutoff_that_stays_is_a_static_filter() -> None:
    noise = np.random.default_rng(1).standard_normal((2, 5_000), np.float32)
    moving = moving_filter(noise, "low24", np.full(5_000 // GRID + 1, np.log2(1_024)), 0.8)
    np.testing.assert_allclose(moving, static_filter(noise, "low24", 1_024, 0.8), atol=1e-6)


def test_a_sweep_of_a_resonant_filter_stays_bounded() -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, (1, 44_100)).astype(np.float32)
    octaves = np.log2(800) + 3 * np.sin(np.arange(44_100 // GRID + 1))
    assert np.abs(moving_filter(noise, "low24", octaves, 5.0)).max() < 40


def test_cutoffs_out_of_range_are_held_at_its_edge() -> None:
    assert np.isfinite(sections("low24", 1e6, 0.7)).all()
    assert np.isfinite(sections("low24", 1e-6, 0.7)).all()
