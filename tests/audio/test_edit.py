"""Editing: lengths add up, levels are kept, seams are silent."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio, edit
from tunesmith.errors import InvalidRequest

RATE = 8000


def noise(seconds: float = 2.0, channels: int = 2, seed: int = 0) -> Audio:
    samples = np.random.default_rng(seed).normal(0, 0.1, (channels, round(seconds * RATE))).astype(np.float32)
    return Audio(samples, RATE, {"seed": seed})


def test_trim_keeps_the_range_and_the_metadata() -> None:
    audio = noise()
    cut = edit.trim(audio, 0.5, 1.25)
    assert np.array_equal(cut.samples, audio.samples[:, 4000:10000])
    assert cut.metadata == audio.metadata


@pytest.mark.parametrize(("start", "end"), [(-1.0, 1.0), (1.0, 1.0), (3.0, None)])
def test_trim_refuses_to_leave_nothing(start: float, end: float | None) -> None:
    with pytest.raises(InvalidRequest, match="trim: must keep a part of 2 s"):
        edit.trim(noise(), start, end)


@pytest.mark.parametrize("shape", ["linear", "smooth", "equal_power"])
def test_a_fade_rises_steadily_and_its_mirror_completes_it(shape: edit.FadeShape) -> None:
    curve = edit.fade_curve(1000, shape)
    assert (np.diff(curve) > 0).all()
    power = 2 if shape == "equal_power" else 1
    assert np.allclose(curve**power + curve[::-1] ** power, 1, atol=1e-5)


def test_fade_touches_only_the_ends() -> None:
    audio = noise()
    faded = edit.fade(audio, 0.5, 0.25).samples
    assert np.array_equal(faded[:, 4000:14000], audio.samples[:, 4000:14000])
    assert np.abs(faded[:, [0, -1]]).max() < 1e-4
    assert edit.fade(audio, 99, 99).num_samples == audio.num_samples


@pytest.mark.parametrize("shape", ["linear", "smooth", "equal_power"])
def test_a_loop_has_no_seam(shape: edit.FadeShape) -> None:
    at = np.arange(2 * RATE) / RATE
    audio = Audio((0.5 * np.sin(2 * np.pi * 97.3 * at) * (1 - at / 3))[None].astype(np.float32), RATE)
    looped = edit.loop(audio, 0.25, shape).samples[0]
    assert looped.size == audio.num_samples - 2000
    assert abs(looped[0] - looped[-1]) <= np.abs(np.diff(audio.samples[0])).max() * 1.01


def test_mono_is_the_mean() -> None:
    audio = noise(4.0)
    assert np.allclose(edit.to_mono(audio).samples[0], audio.samples.mean(axis=0), atol=1e-7)
