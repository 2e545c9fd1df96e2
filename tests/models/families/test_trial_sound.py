"""The sound of a trial: music passes, what broken weights make does not."""

from __future__ import annotations

from math import exp, pi

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.errors import ModelFileError
from tunesmith.models.families.trial_sound import check_sound, spectral_flatness

RATE = 44_100
TIME = np.arange(RATE) / RATE
CHANCE = np.random.default_rng(7)
NOISE = CHANCE.standard_normal(RATE)
CHORD = np.sin(2 * pi * np.outer((220.0, 277.2, 329.6), TIME)).sum(axis=0) / 8


def stereo(samples: object) -> Audio:
    return Audio(np.tile(np.asarray(samples, np.float32), (2, 1)), RATE)


def test_white_noise_has_the_flatness_of_an_exponential_distribution() -> None:
    assert spectral_flatness(NOISE.astype(np.float32), RATE) == pytest.approx(exp(-np.euler_gamma), abs=0.01)
    assert spectral_flatness(CHORD.astype(np.float32), RATE) < 0.001


@pytest.mark.parametrize("samples", [
    CHORD, CHORD + NOISE / 200, np.cumsum(NOISE) / 500, np.where(TIME % 0.5 < 0.1, CHORD, 0.0),
])  # fmt: skip
def test_music_passes(samples: object) -> None:
    check_sound(stereo(samples), "mine")


@pytest.mark.parametrize(("samples", "words"), [
    (0 * TIME, "silence: an RMS of 0"), (CHORD * 1e-4, "silence"), (NOISE / 5, "noise: a spectral flatness of 0.5"),
    (np.clip(CHORD * 20, -1, 1), "clipped sound: "), (CHORD * np.nan, "NaN or infinite"),
    (np.full(RATE, np.inf), "NaN or infinite"),
])  # fmt: skip
def test_silence_noise_clipping_and_what_is_no_number_are_refused(samples: object, words: str) -> None:
    with pytest.raises(ModelFileError, match=f"mine: the model generates .*{words}"):
        check_sound(stereo(samples), "mine")
