"""Onset times: clicks and notes are found where they are, and hiss has none to speak of."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.analysis.features import features_of
from tunesmith.audio.analysis.onset_times import onset_times

RATE = 44_100


@pytest.mark.parametrize("level", [0.5, 0.01])
def test_tones_begin_where_they_do_at_any_level(level: float) -> None:
    at = np.arange(3 * RATE) / RATE
    starts = np.array([0.3, 0.55, 1.2, 1.31, 2.4])
    sounding = sum(
        (at >= start) * np.exp(-8 * np.maximum(0, at - start)) * np.sin(2 * np.pi * 330 * at) for start in starts
    )
    # A sound that breaks off ends in a click.
    sounding *= np.clip((3 - at) / 0.3, 0, 1)
    heard = onset_times(features_of(Audio(level * np.asarray([sounding], np.float32), RATE)))
    assert len(heard) == len(starts)
    np.testing.assert_allclose(heard, starts, atol=0.012)


def test_a_steady_tone_and_silence_have_no_onsets_but_the_start() -> None:
    at = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 440 * at) * np.sin(np.pi * at / 2)
    for sound in (tone, 0 * at):
        assert all(time < 0.02 for time in onset_times(features_of(Audio(np.asarray([sound], np.float32), RATE))))


def test_hiss_has_few_onsets() -> None:
    hiss = 0.1 * np.random.default_rng(1).standard_normal((1, 10 * RATE)).astype(np.float32)
    assert len(onset_times(features_of(Audio(hiss, RATE)))) <= 25
