"""Laws of strips, reverbs, ducking and automation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from bandstand import full_band
from lazy_modules import LazyModule

from tunesmith.composer.mix.automation import Sweep, closed_at
from tunesmith.composer.mix.channel_strips import STRIPS
from tunesmith.composer.mix.control_rate import sampled
from tunesmith.composer.mix.ducking import Ducker
from tunesmith.composer.mix.eq_response import Band, coefficients, response
from tunesmith.composer.mix.mixer import bus_responses, strip_response
from tunesmith.composer.mix.octaves import MIDDLES
from tunesmith.composer.mix.reverb import LONGEST_TAIL, SPACES, impulse_response, reverb_gains
from tunesmith.composer.mix.tone import BusTone
from tunesmith.composer.score import ROLES, MixSettings, Section

if TYPE_CHECKING:
    from scipy import signal
else:
    signal = LazyModule("scipy.signal")

SIZE = 1 << 16
BIN = 44_100 / SIZE


def gain_db(band: Band, hertz: float) -> float:
    return float(20 * np.log10(np.abs(response((band,), SIZE)[round(hertz / BIN)])))


def test_a_pass_filter_is_three_decibels_down_at_its_corner() -> None:
    assert gain_db(Band("high_pass", 200), 200) == pytest.approx(-3.01, abs=0.05)
    assert gain_db(Band("low_pass", 5000), 5000) == pytest.approx(-3.01, abs=0.05)
    assert gain_db(Band("high_pass", 200), 50) == pytest.approx(-24, abs=0.5)


def test_shelves_and_peaks_reach_their_gain() -> None:
    assert gain_db(Band("low_shelf", 400, 5), 20) == pytest.approx(5, abs=0.1)
    assert gain_db(Band("high_shelf", 3000, -4), 18_000) == pytest.approx(-4, abs=0.1)
    assert gain_db(Band("peak", 1000, 6, 2.0), 1000) == pytest.approx(6, abs=0.1)
    assert gain_db(Band("peak", 1000, 6, 2.0), 50) == pytest.approx(0, abs=0.1)


def test_a_response_equals_the_filter_run_sample_by_sample() -> None:
    band = Band("peak", 700, -5, 1.3)
    rows = np.array([[value / coefficients(band)[3] for value in coefficients(band)]])
    impulse = np.zeros(SIZE)
    impulse[0] = 1
    np.testing.assert_allclose(np.fft.irfft(response((band,), SIZE)), signal.sosfilt(rows, impulse), atol=1e-6)


def test_every_role_has_a_strip() -> None:
    assert tuple(STRIPS) == ROLES


@pytest.mark.parametrize("name", SPACES)
def test_a_space_decays_as_said_and_its_sides_differ(name: str) -> None:
    samples = impulse_response(name)
    assert samples.shape[1] <= LONGEST_TAIL
    assert np.sum(samples**2, axis=1) == pytest.approx([1, 1], rel=1e-3)
    assert abs(np.asarray(np.corrcoef(samples))[0, 1]) < 0.2
    energy: npt.NDArray[np.float64] = np.flip(np.cumsum(np.flip(samples[0]).astype(np.float64) ** 2))
    level = 10 * np.log10(energy / energy.max() + 1e-12)
    decay = 3 * (np.argmax(level < -25) - np.argmax(level < -5)) / 44_100
    assert decay == pytest.approx(np.mean(SPACES[name].decay[:3]), rel=0.35)


def test_without_sends_there_is_no_reverb() -> None:
    settings = MixSettings(room=0, hall=0)
    dry = strip_response("melody", *reverb_gains(settings), SIZE * 4)
    assert np.allclose(dry[0], dry[1])
    assert reverb_gains(MixSettings(production=("dry",))) < reverb_gains(MixSettings())
    assert reverb_gains(MixSettings(production=("spacious",))) > reverb_gains(MixSettings())


def test_the_bottom_of_the_bus_is_mono() -> None:
    mid, side = bus_responses(0.0, 1.0, BusTone(sides_db=(0.0,) * 3 + (6.0,) * (len(MIDDLES) - 3)), SIZE)
    low, high = round(40 / BIN), round(2000 / BIN)
    assert abs(side[low] / mid[low]) < 0.2
    assert abs(side[high] / mid[high]) == pytest.approx(2, abs=0.01)
    assert abs(mid[0]) < 1e-6


def test_ducking_dips_on_the_kick_and_returns_without_steps() -> None:
    ducker = Ducker((22_050, 44_100, 66_150), 0.6, None)
    gain = ducker.gain(0, 200_000, 1.0)
    assert gain[:20_000] == pytest.approx(np.ones(20_000))
    assert gain[44_100:44_300].min() == pytest.approx(0.4, abs=0.02)
    assert gain[100_000:] == pytest.approx(np.ones(100_000))
    assert np.abs(np.diff(gain)).max() < 0.005


def test_ducking_in_a_loop_comes_round() -> None:
    ducker = Ducker((0, 40_000), 0.5, 88_200)
    np.testing.assert_allclose(ducker.gain(88_200 - 64 * 5, 88_200 + 640, 1.0)[64 * 5 :].min(), 0.5, atol=0.02)
    assert np.abs(np.diff(ducker.gain(80_000, 100_000, 1.0))).max() < 0.005


def test_a_curve_is_the_same_wherever_reading_starts() -> None:
    whole = sampled(lambda frames: np.sin(frames / 5000).astype(np.float32), 0, 10_000)
    part = sampled(lambda frames: np.sin(frames / 5000).astype(np.float32), 1234, 7001)
    np.testing.assert_allclose(part, whole[1234:7001], atol=1e-7)


def test_the_filter_opens_with_energy_and_through_a_build() -> None:
    assert closed_at(Section("A", 0, 8, 0.1))[0] > closed_at(Section("A", 0, 8, 0.4))[0] > 0
    assert closed_at(Section("drop", 0, 8, 0.9)) == (0, 0)
    first, last = closed_at(Section("build", 0, 8, 0.5))
    assert first > last == 0
    # A piece that is calm throughout is open where it is loudest.
    assert closed_at(Section("A", 0, 8, 0.3), 0.3) == (0, 0)
    sweep = Sweep(full_band(20))
    assert sweep.active
    assert np.abs(np.diff(sweep.closed(0, 20 * 44_100))).max() < 1e-3
