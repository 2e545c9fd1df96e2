"""Every kit: all drums sound, in balance around the kick."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio.buffer import Samples
from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.sound.synth import SoundCache, synth_voice
from tunesmith.composer.sound.synth.drum_voice import nearest_key
from tunesmith.composer.sound.synth.kits import KITS
from tunesmith.composer.sound.voice import Tone


def peak_db(samples: Samples) -> float:
    return float(20 * np.log10(np.abs(samples).max()))


@pytest.mark.parametrize("name", sorted(KITS))
def test_every_drum_sounds_and_ends_in_silence(name: str) -> None:
    voice = synth_voice(name, SoundCache())
    for key in sorted(set(DRUM_KEYS.values())):
        samples = voice.sound(Tone(key, 100, 0.1))
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert -28 < peak_db(samples) < -2
        assert np.abs(samples[:, -1]).max() < 1e-4


@pytest.mark.parametrize("name", sorted(KITS))
def test_a_kick_of_velocity_100_peaks_at_minus_6_db(name: str) -> None:
    voice = synth_voice(name, SoundCache())
    assert peak_db(voice.sound(Tone(36, 100, 0.1))) == pytest.approx(-6, abs=0.6)
    assert peak_db(voice.sound(Tone(42, 100, 0.1))) < peak_db(voice.sound(Tone(36, 100, 0.1))) - 4


def test_a_hit_repeats_from_the_cache_to_the_byte_and_varies_from_hit_to_hit() -> None:
    voice = synth_voice("tr909_kit", SoundCache())
    first = voice.sound(Tone(38, 90, 0.1))
    assert first.tobytes() == voice.sound(Tone(38, 90, 0.4)).tobytes()
    assert first.tobytes() != voice.sound(Tone(38, 90, 0.1, variation=1)).tobytes()


def test_keys_without_a_drum_go_to_their_kin() -> None:
    chip = KITS["chip_kit"]
    assert nearest_key(chip, DRUM_KEYS["bongo_high"]) == DRUM_KEYS["conga_high"]
    assert nearest_key(chip, DRUM_KEYS["snap"]) == DRUM_KEYS["clap"]
    assert nearest_key(chip, 0) in chip.drums


def test_a_soft_hit_is_duller() -> None:
    voice = synth_voice("house_kit", SoundCache())

    def brightness(velocity: int) -> float:
        power = np.abs(np.fft.rfft(voice.sound(Tone(38, velocity, 0.1))[0])) ** 2
        return float(np.sum(power * np.arange(power.size)) / np.sum(power))

    assert brightness(120) > 1.2 * brightness(30)
