"""Resampling: exact length, right frequency, the same whole or in blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.resample import resample, resample_blocks, resampled_length


@pytest.mark.parametrize("rates", [(44100, 48000), (48000, 44100), (44100, 8000), (22050, 96000), (32000, 44100)])
@pytest.mark.parametrize("length", [0, 1, 7, 4410, 100_003])
def test_the_length_is_exact(rates: tuple[int, int], length: int) -> None:
    audio = Audio(np.ones((1, length), np.float32), rates[0])
    assert resample(audio, rates[1]).num_samples == resampled_length(length, *rates)
    assert abs(resampled_length(length, *rates) - length * rates[1] / rates[0]) <= 0.5


def test_a_tone_keeps_its_pitch_and_level() -> None:
    at = np.arange(44100) / 44100
    audio = Audio((0.5 * np.sin(2 * np.pi * 1000 * at))[None].astype(np.float32), 44100)
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    assert np.abs(resample(audio, 48000).samples[0] - wanted)[500:-500].max() < 1e-3


def test_block_size_does_not_matter() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 30_000)).astype(np.float32)
    whole = resample(Audio(sound, 44100), 48000).samples
    pieces = resample_blocks((sound[:, at : at + 777] for at in range(0, 30_000, 777)), 2, 44100, 48000)
    assert np.allclose(np.concatenate(list(pieces), axis=1), whole, atol=1e-6)


def test_the_same_rate_is_the_same_sound() -> None:
    audio = Audio(np.ones((1, 10), np.float32), 44100)
    assert resample(audio, 44100) is audio
