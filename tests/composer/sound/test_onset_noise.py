"""Laws of onset noise: 20 dB below its note, tied to velocity, wide but there in mono, the same for the same note."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio.buffer import Samples
from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.sound.noise_kinds import BY_DRUM, BY_FAMILY, noise_kind
from tunesmith.composer.sound.onset_noise import LEVELLED, OnsetNoise, Struck, level_of
from tunesmith.composer.sound.voice import SAMPLE_RATE

NOISELESS = {"chip", "effects", "drums"}
LEVEL = 0.1


def onset(name: str, velocity: int = 127, place: float = 0.3, level: float = LEVEL) -> Samples:
    noise = OnsetNoise(instrument(name)).onset(60, Struck(level, velocity, 1.0, place))
    assert noise is not None
    return noise


def level_db(noise: Samples) -> float:
    beginning = np.zeros((2, LEVELLED))
    beginning[:, : noise.shape[1]] = noise[:, :LEVELLED]
    return float(10 * np.log10(np.mean(np.square(beginning)) / LEVEL**2))


def test_every_family_and_every_drum_has_its_noise() -> None:
    assert {row.family for row in instruments().values()} == BY_FAMILY.keys() | NOISELESS
    assert BY_DRUM.keys() == set(DRUM_KEYS.values())
    assert noise_kind(instrument("chip_pulse"), 60) is None
    assert noise_kind(instrument("chip_kit"), 38) is None


@pytest.mark.parametrize("velocity", [10, 64, 127])
@pytest.mark.parametrize("name", ["acoustic_guitar", "violin", "piano", "flute", "trumpet", "vibraphone", "saw_lead"])
def test_noise_lies_twenty_decibels_below_its_note(name: str, velocity: int) -> None:
    assert level_db(onset(name, velocity)) == pytest.approx(-20, abs=4)


def test_a_harder_touch_is_noisier_and_a_louder_note_louder() -> None:
    levels = [level_db(onset("piano", velocity)) for velocity in (1, 64, 127)]
    assert levels == sorted(levels)
    assert levels[2] - levels[0] > 2
    assert level_db(onset("piano", level=2 * LEVEL)) == pytest.approx(levels[2] + 6.02, abs=0.01)
    assert OnsetNoise(instrument("piano")).onset(60, Struck(0, 90, 1, 0.5)) is None


def test_most_of_the_noise_lies_between_one_and_a_half_and_sixteen_kilohertz() -> None:
    for name in ("acoustic_guitar", "violin", "flute"):
        power = np.abs(np.fft.rfft(onset(name), axis=1)) ** 2
        hertz = np.fft.rfftfreq(onset(name).shape[1], 1 / SAMPLE_RATE)
        assert power[:, (hertz > 1_500) & (hertz < 16_000)].sum() > 0.75 * power.sum()


def test_the_same_place_is_the_same_noise_and_another_is_another() -> None:
    assert onset("piano").tobytes() == onset("piano").tobytes()
    assert onset("piano").tobytes() != onset("piano", place=0.7).tobytes()


def test_the_noise_is_wide_but_survives_in_mono() -> None:
    left, right = onset("violin")
    assert 0.3 < np.corrcoef(left, right)[0, 1] < 0.8


def test_a_key_is_heard_when_it_comes_up_and_a_bow_is_not() -> None:
    struck = Struck(LEVEL, 100, 1.0, 0.5)
    up = OnsetNoise(instrument("piano")).release(60, struck)
    assert up is not None
    assert np.abs(up).max() < 0.4 * np.abs(onset("piano", 100)).max()
    assert OnsetNoise(instrument("violin")).release(60, struck) is None


def test_a_damped_stroke_of_a_guitar_is_mostly_plectrum() -> None:
    guitar = OnsetNoise(instrument("clean_guitar"))
    damped, ringing = (guitar.onset(60, Struck(LEVEL, 64, seconds, 0.3)) for seconds in (0.03, 0.3))
    assert damped is not None
    assert ringing is not None
    assert level_db(damped) > level_db(ringing) + 10
    piano = OnsetNoise(instrument("piano")).onset(60, Struck(LEVEL, 64, 0.03, 0.3))
    assert piano is not None
    assert level_db(piano) < -15


def test_the_level_is_that_of_the_beginning() -> None:
    assert level_of(np.broadcast_to(np.full(50_000, 0.25, np.float32), (2, 50_000))) == pytest.approx(0.25)
    assert level_of(np.zeros((2, 0), np.float32)) == 0
