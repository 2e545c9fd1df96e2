"""Laws of the production effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bandstand import full_band
from lazy_modules import LazyModule

from tunesmith.audio.buffer import Samples
from tunesmith.composer.mix.production import ProductionChain
from tunesmith.composer.mix.production.chain import ORDER
from tunesmith.composer.mix.production.saturation import Hold, Saturation
from tunesmith.composer.mix.production.vinyl import Vinyl
from tunesmith.composer.mix.production.wow_flutter import Wow
from tunesmith.composer.rng import rng_for
from tunesmith.composer.score import MixSettings

if TYPE_CHECKING:
    from scipy import signal
else:
    signal = LazyModule("scipy.signal")


def noise(seconds: float = 2.0) -> Samples:
    return (0.1 * rng_for(0, "noise").standard_normal((2, round(seconds * 44_100)))).astype(np.float32)


def power_between(samples: Samples, low: float, high: float) -> float:
    frequency, power = signal.welch(samples[0], 44_100, nperseg=4096)
    return float(power[(frequency >= low) & (frequency < high)].sum())


@pytest.mark.parametrize("name", ORDER)
def test_blocks_do_not_matter_to_an_effect(name: str) -> None:
    score = full_band(2, mix=MixSettings(production=(name,)))
    sound = noise()
    whole = ProductionChain(score, 0.1).apply(sound.copy(), 0)
    chain = ProductionChain(score, 0.1)
    pieces = [chain.apply(sound[:, start : start + 7001].copy(), start) for start in range(0, sound.shape[1], 7001)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=2e-5)
    assert not np.allclose(whole, sound, atol=1e-3)


def test_nothing_asked_for_is_nothing_done() -> None:
    assert not ProductionChain(full_band(2, mix=MixSettings(production=("dry", "spacious"))), 0.1)


def test_saturation_leaves_the_quiet_alone_and_holds_the_loud() -> None:
    quiet, loud = np.full((2, 8), 1e-4, np.float32), np.full((2, 8), 5.0, np.float32)
    effect = Saturation(1.0, 0.2)
    np.testing.assert_allclose(effect.apply(quiet, 0), quiet, rtol=1e-3)
    assert effect.apply(loud, 0).max() <= 1.01
    np.testing.assert_allclose(effect.apply(-loud, 0), -effect.apply(loud, 0))


def test_a_telephone_has_no_bass_and_no_air() -> None:
    sound = noise()
    heard = ProductionChain(full_band(2, mix=MixSettings(production=("telephone",))), 0.1).apply(sound.copy(), 0)
    for low, high in ((20, 150), (8000, 16_000)):
        assert power_between(heard, low, high) < 0.02 * power_between(sound, low, high)


def test_room_for_speech_lies_between_1_and_4_khz() -> None:
    sound = noise()
    heard = ProductionChain(full_band(2, mix=MixSettings(production=("speech_room",))), 0.1).apply(sound.copy(), 0)
    assert power_between(heard, 1000, 4000) < 0.5 * power_between(sound, 1000, 4000)
    for low, high in ((40, 400), (10_000, 16_000)):
        assert power_between(heard, low, high) > 0.85 * power_between(sound, low, high)


def test_held_samples_are_held() -> None:
    crushed = Hold(4).apply(noise(0.1), 0)
    np.testing.assert_array_equal(crushed[:, 0:4000:4], crushed[:, 3:4003:4])


def test_wow_bends_the_pitch_by_a_few_cents() -> None:
    seconds = np.arange(3 * 44_100) / 44_100
    tone = np.tile(np.sin(2 * np.pi * 1000 * seconds), (2, 1)).astype(np.float32)
    bent = Wow(None).apply(tone, 0)[0, 4410:-4410]
    phase = np.unwrap(np.angle(signal.hilbert(bent)))
    hertz = signal.savgol_filter(phase, 2001, 1, deriv=1)[2000:-2000] * 44_100 / (2 * np.pi)
    cents = 1200 * np.log2(hertz / 1000)
    assert 2 < np.abs(cents).max() < 20


def test_vinyl_goes_round_with_the_loop() -> None:
    period = 200_003
    silence = np.zeros((2, period), np.float32)
    vinyl = Vinyl(0.1, period, rng_for(1, "vinyl"))
    first, second = vinyl.apply(silence, 0), vinyl.apply(silence, period)
    np.testing.assert_array_equal(first, second)
    assert 1e-4 < first.std() < 0.03
