"""The outline of a sound is that of its samples, at any resolution, and survives being kept."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.peaks import FULL_SCALE, MAX_POINTS, Peaks, measure_peaks


def noise(num_samples: int) -> Audio:
    return Audio(np.random.default_rng(3).uniform(-1, 1, (2, num_samples)).astype(np.float32), 44_100)


@pytest.mark.parametrize("num_samples", [1, 7, 4_095, 4_097, 200_001])
@pytest.mark.parametrize("points", [1, 3, 100])
def test_each_point_is_the_largest_and_the_mean_of_its_stretch(num_samples: int, points: int) -> None:
    audio = noise(num_samples)
    found = measure_peaks(audio, points)
    count = min(points, num_samples)
    assert len(found.peak) == len(found.rms) == count
    # The obvious twin: one stretch after the other.
    for at in range(count):
        stretch = audio.samples[:, -(-at * num_samples // count) : -(-(at + 1) * num_samples // count)]
        assert found.peak[at] == pytest.approx(np.abs(stretch).max() * FULL_SCALE, abs=1)
        assert found.rms[at] == pytest.approx(np.sqrt(np.mean(stretch**2)) * FULL_SCALE, abs=1)


def test_pooling_keeps_the_largest_and_the_power() -> None:
    fine = measure_peaks(noise(100_000))
    for points in (1, 10, 777, MAX_POINTS):
        pooled = fine.pooled(points)
        assert len(pooled.peak) == points
        assert pooled.peak.max() == fine.peak.max()
        assert np.mean(pooled.rms.astype(float) ** 2) == pytest.approx(np.mean(fine.rms.astype(float) ** 2), rel=0.01)


def test_silence_is_zero_and_the_faintest_sound_is_not() -> None:
    silence = measure_peaks(Audio(np.zeros((1, 1000), np.float32), 44_100), 10)
    faint = measure_peaks(Audio(np.full((1, 1000), 1e-4, np.float32), 44_100), 10)
    assert not silence.peak.any()
    assert (faint.peak == 1).all()


def test_an_outline_is_kept_as_bytes() -> None:
    fine = measure_peaks(noise(9_000))
    back = Peaks.from_bytes(fine.to_bytes())
    assert (back.peak == fine.peak).all()
    assert (back.rms == fine.rms).all()
    for broken in (b"", b"abc"):
        with pytest.raises(ValueError, match="two rows"):
            Peaks.from_bytes(broken)
