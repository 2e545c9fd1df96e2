"""Envelopes, low-frequency oscillators and slides."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.composer.sound.synth.envelopes_lfo import envelope, modulation, slide, turns_a_second
from tunesmith.composer.sound.synth.patch import Envelope, Lfo
from tunesmith.composer.sound.voice import SAMPLE_RATE


def test_an_envelope_rises_to_one_holds_and_ends_in_silence() -> None:
    level = envelope(Envelope(0.01, 0.2, 0.5, 0.3), held=1.0, samples=round(1.3 * SAMPLE_RATE))
    assert level[0] == 0
    assert level.max() == pytest.approx(1, abs=0.01)
    assert level[round(0.9 * SAMPLE_RATE)] == pytest.approx(0.5, abs=0.01)
    assert level[-1] == 0


def test_a_release_falls_by_60_db_in_its_time() -> None:
    level = envelope(Envelope(0.001, 1.0, 1.0, 0.5), held=0.5, samples=2 * SAMPLE_RATE)
    assert level[SAMPLE_RATE] == pytest.approx(level[SAMPLE_RATE // 2 - 1] / 1_000, rel=0.01)


@pytest.mark.parametrize("held", [0.2, 0.37, 1.0, 2.6])
def test_a_synced_oscillator_turns_whole_times_in_a_tone(held: float) -> None:
    turns = turns_a_second(Lfo("cutoff", 5.6, 1.0, synced=True), held) * held
    assert turns == pytest.approx(round(turns))
    assert turns >= 1


@pytest.mark.parametrize("wave", ["sine", "triangle"])
def test_an_oscillator_swings_by_its_depth_around_zero(wave: str) -> None:
    swing = modulation(Lfo("pitch", 5.0, 0.3, wave=wave), 1.0, SAMPLE_RATE)  # type: ignore[arg-type]
    assert swing.size == SAMPLE_RATE
    assert np.abs(swing).max() == pytest.approx(0.3, abs=0.01)
    assert abs(float(swing.mean())) < 0.01


def test_a_slide_begins_at_its_interval_and_ends_at_the_note() -> None:
    curve = slide(-12, 0.1, SAMPLE_RATE)
    assert curve[0] == -12
    assert not curve[SAMPLE_RATE // 5 :].any()
