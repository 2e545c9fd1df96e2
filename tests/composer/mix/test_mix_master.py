"""Laws of the master's parts: loudness, true peak, compressor and limiter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from lazy_modules import LazyModule

from tunesmith.composer.mix.master.dynamics import MOST_SMOOTH_DB, Compression, compressor_gain, limiter_gain, smoothed
from tunesmith.composer.mix.master.gain_search import find_gain
from tunesmith.composer.mix.master.loudness_frames import FrameMeter, Frames, gated_loudness
from tunesmith.composer.rng import rng_for

if TYPE_CHECKING:
    import pyloudnorm
else:
    pyloudnorm = LazyModule("pyloudnorm")

RATE = 44_100 / 64


def framed(samples: np.ndarray[tuple[int, int], np.dtype[np.float32]], rate: int, *sizes: int) -> Frames:
    meter = FrameMeter(rate, samples.shape[0])
    start = 0
    for size in sizes:
        meter.add(samples[:, start : start + size])
        start += size
    meter.add(samples[:, start:])
    return meter.frames()


def sine(
    rate: int, hertz: float, level_db: float, seconds: float, phase: float = 0.0
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + phase)
    return np.tile(wave, (2, 1)).astype(np.float32)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_a_stereo_tone_of_tech_3341_reads_its_level(rate: int, level_db: float) -> None:
    frames = framed(sine(rate, 1000, level_db, 8), rate)
    assert gated_loudness(frames.power, rate, frames.samples) == pytest.approx(level_db, abs=0.1)


@pytest.mark.parametrize("seconds", [1.0, 1.73, 7.0])
def test_loudness_agrees_with_the_reference_meter(seconds: float) -> None:
    noise = rng_for(3, "loudness").standard_normal((2, round(seconds * 44_100))) * 0.1
    noise *= np.linspace(0.05, 1, noise.shape[1])
    frames = framed(noise.astype(np.float32), 44_100, 1000, 77, 5000)
    reference = pyloudnorm.Meter(44_100).integrated_loudness(noise.T)
    assert gated_loudness(frames.power, 44_100, frames.samples) == pytest.approx(reference, abs=0.1)


def test_the_peak_between_samples_is_found() -> None:
    quarter = sine(44_100, 11_025, 0, 0.5, phase=np.pi / 4)
    assert np.abs(quarter).max() < 0.71
    peak = framed(quarter, 44_100, 100).peak[5:-5]
    assert peak == pytest.approx(np.ones(len(peak)), abs=0.03)


def test_the_limiter_never_lets_a_peak_through() -> None:
    peak = np.abs(rng_for(1, "peaks").standard_normal(3000)).astype(np.float32) ** 3
    for loop in (False, True):
        gain = limiter_gain(peak, 0.8, RATE, loop=loop)
        assert len(gain) == len(peak) + 1
        assert (peak * np.maximum(gain[1:], gain[:-1])).max() <= 0.8 + 1e-6
    assert limiter_gain(peak * 0 + 0.5, 0.8, RATE, loop=False) == pytest.approx(np.ones(3001))


def test_the_limiter_cuts_single_peaks_quickly_and_never_ducks_what_follows_by_more_than_its_smooth_share() -> None:
    peak = np.full(600, 0.5, np.float32)
    peak[300] = 8.0
    gain = limiter_gain(peak, 1.0, RATE, loop=False)
    after = gain[300 + round(0.008 * RATE) :]
    assert peak[300] * max(gain[300], gain[301]) <= 1.0 + 1e-6
    assert 20 * np.log10(after.min()) >= -MOST_SMOOTH_DB - 0.1
    # Well before the peak, nothing happens.
    assert gain[:250] == pytest.approx(np.ones(250))


def test_peaks_that_the_smooth_stage_can_take_are_its_alone() -> None:
    peak = np.abs(rng_for(3, "low").standard_normal(2000)).astype(np.float32)
    low = peak / peak.max() * np.float32(10 ** (MOST_SMOOTH_DB / 20))
    slightly_higher = np.append(low, low.max() * np.float32(1.001))
    both = limiter_gain(low, 1.0, RATE, loop=False), limiter_gain(slightly_higher, 1.0, RATE, loop=False)
    np.testing.assert_allclose(both[0][:1900], both[1][:1900], atol=2e-3)


def test_a_loops_gains_close() -> None:
    power = (0.02 * rng_for(2, "power").random(2000)).astype(np.float32)
    how = Compression(-10, 4, 0.01, 0.1)
    once = compressor_gain(power, -20, how, RATE, loop=True)
    twice = compressor_gain(np.concatenate((power, power)), -20, how, RATE, loop=True)
    np.testing.assert_allclose(np.concatenate((once, once)), twice, atol=1e-4)
    assert limiter_gain(power * 100, 0.8, RATE, loop=True)[0] == pytest.approx(
        limiter_gain(power * 100, 0.8, RATE, loop=True)[-1], abs=2e-2
    )


def test_smoothing_keeps_a_constant() -> None:
    assert smoothed(np.full(100, 0.3, np.float32), 20, loop=False) == pytest.approx(np.full(100, 0.3))


def test_compression_follows_its_ratio() -> None:
    power = np.concatenate((np.full(4000, 1e-3), np.full(4000, 1e-1))).astype(np.float32)
    gain = compressor_gain(power, -30, Compression(-6, 2, 0.01, 0.1), RATE, loop=False)
    change = 20 * np.log10(gain[-1] / gain[3999])
    assert change == pytest.approx(-10, abs=0.3)


@pytest.mark.parametrize("crest", [2.2, 2.3, 2.4])
def test_slightly_higher_peaks_change_the_gain_slightly(crest: float) -> None:
    busy = np.where(np.arange(4000) % 350 < 60, 0.1, 0.01)
    found = [
        find_gain(
            Frames(np.square(busy).astype(np.float32), (busy * peak).astype(np.float32), 44_100, 256_000),
            -16,
            loop=False,
        )
        for peak in (crest, crest * 1.005)
    ]
    for levels in found:
        assert levels.loudness == pytest.approx(-16, abs=0.1)
    assert np.abs(20 * np.log10(found[0].gain / found[1].gain)).max() < 1


def test_harder_levelling_is_used_only_where_it_must_be() -> None:
    power = np.full(2000, 0.01, np.float32)
    easy = find_gain(Frames(power, np.full(2000, 0.3, np.float32), 44_100, 128_000), -14, loop=False)
    assert easy.loudness == pytest.approx(-14, abs=0.1)
    assert easy.limiting_db < 0.5
    spiky = np.where(np.arange(2000) % 100 == 0, 1, 0.03).astype(np.float32)
    hard = find_gain(Frames(np.asarray(np.square(spiky) / 4, np.float32), spiky, 44_100, 128_000), -14, loop=False)
    assert hard.loudness == pytest.approx(-14, abs=0.5)
