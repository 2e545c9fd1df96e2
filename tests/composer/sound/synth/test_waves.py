"""Oscillators: in tune, and free of aliases."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composer.sound.synth.waves import WAVES, Mono, hertz, oscillate, pulse
from tunesmith.composer.sound.voice import SAMPLE_RATE


def spectrum(signal: Mono) -> np.ndarray:
    window = np.blackman(signal.size)
    return np.asarray(np.abs(np.fft.rfft(signal * window)) ** 2)


def alias_db(signal: Mono, frequency: float) -> float:
    """Power away from the harmonics, relative to all power."""
    power = spectrum(signal)
    bins = np.fft.rfftfreq(signal.size, 1 / SAMPLE_RATE)
    away = np.abs(bins / frequency - np.round(bins / frequency)) * frequency > 12
    return float(10 * np.log10(power[away].sum() / power.sum()))


@pytest.mark.parametrize("pitch", [36, 60, 84, 96])
def test_a_saw_has_no_aliases_above_minus_60_db(pitch: int) -> None:
    assert alias_db(oscillate("saw", hertz(pitch), SAMPLE_RATE), hertz(pitch)) < -60


def test_a_pulse_has_no_aliases_above_minus_60_db() -> None:
    assert alias_db(pulse(0.125, hertz(84), SAMPLE_RATE), hertz(84)) < -60


@pytest.mark.parametrize("wave", sorted(WAVES))
def test_every_wave_is_in_tune_within_a_cent(wave: str) -> None:
    signal = oscillate(wave, 440.0, SAMPLE_RATE)
    power = spectrum(signal)
    peak = 440 + int(np.argmax(power[430:451])) - 10
    log = np.log(power[peak - 1 : peak + 2])
    found = peak + (log[0] - log[2]) / (2 * (log[0] - 2 * log[1] + log[2]))
    assert abs(1200 * np.log2(found / 440)) < 1


@pytest.mark.parametrize("duty", [0.125, 0.25, 0.5])
def test_a_pulse_is_high_for_its_duty(duty: float) -> None:
    signal = pulse(duty, 55.0, SAMPLE_RATE)
    assert np.mean(signal > np.mean([signal.max(), signal.min()])) == pytest.approx(duty, abs=0.01)


def test_a_saw_has_harmonics_that_fall_as_one_over_their_number() -> None:
    power = spectrum(oscillate("saw", 441.0, SAMPLE_RATE))
    levels = [10 * np.log10(power[441 * k] / power[441]) for k in (2, 4, 8)]
    assert levels == pytest.approx([-6.02, -12.04, -18.06], abs=0.1)


def test_the_console_triangle_moves_in_sixteen_steps() -> None:
    signal = oscillate("steps", 20.0, SAMPLE_RATE)
    levels = np.round((signal + 1) * 7.5, 1)
    assert np.mean(np.abs(levels - np.round(levels)) < 0.15) > 0.9
    assert {round(float(level)) for level in levels} == set(range(16))
