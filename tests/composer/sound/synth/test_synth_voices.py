"""Every patch: in tune, at one level, clean at both ends, and the same whenever it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import instruments
from tunesmith.composer.sound.synth import SoundCache, patch_names, synth_voice
from tunesmith.composer.sound.synth.patch import TransitionEffect
from tunesmith.composer.sound.synth.patches import PATCHES, TRANSITIONS
from tunesmith.composer.sound.voice import SAMPLE_RATE, Tone
from tunesmith.errors import UnknownName

PITCHED = sorted(set(PATCHES) - set(TRANSITIONS))
SLOW = {"drone", "dark_pad", "warm_pad", "sweep_pad", "glass_pad", "string_pad", "choir_pad"}
INHARMONIC = {"fm_bell", "cowbell_lead", "reese_bass"}  # no single pitch is the strongest, or it beats


def reference(name: str) -> int:
    patch = PATCHES[name]
    return 60 if isinstance(patch, TransitionEffect) else patch.reference


def sound(name: str, **changes: int | float) -> Samples:
    fields: dict[str, int | float] = {"pitch": reference(name), "velocity": 100, "seconds": 0.5, **changes}
    return synth_voice(name, SoundCache(0)).sound(Tone(**fields))  # type: ignore[arg-type]


def rms_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def test_every_patch_of_the_instrument_table_has_a_voice() -> None:
    assert {row.patch for row in instruments().values() if row.patch} <= set(patch_names())


def test_an_unknown_patch_names_its_nearest() -> None:
    with pytest.raises(UnknownName, match="saw_lead"):
        synth_voice("saw_laed")


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_tone_is_clean(name: str) -> None:
    samples = sound(name)
    assert samples.dtype == np.float32
    assert samples.shape[0] == 2
    assert samples.shape[1] >= 0.5 * SAMPLE_RATE
    assert np.isfinite(samples).all()
    assert np.abs(samples[:, 0]).max() < 0.01
    assert np.abs(samples[:, -1]).max() < 0.001
    assert abs(float(samples.mean())) < 0.002
    assert np.abs(sound(name, velocity=127)).max() < 1.5


@pytest.mark.parametrize("name", sorted(set(PITCHED) - SLOW))
def test_a_tone_of_velocity_100_has_the_common_level(name: str) -> None:
    assert rms_db(sound(name, seconds=1.0)[:, : SAMPLE_RATE // 2]) == pytest.approx(-20, abs=1.1)


@pytest.mark.parametrize("name", sorted(SLOW))
def test_a_slow_pad_reaches_the_common_level(name: str) -> None:
    samples = sound(name, seconds=2.0)[:, : 2 * SAMPLE_RATE]
    halves = samples.reshape(2, 4, -1)
    assert max(rms_db(halves[:, i]) for i in range(4)) == pytest.approx(-20, abs=3)


@pytest.mark.parametrize("name", sorted(set(PITCHED) - INHARMONIC))
def test_a_tone_is_in_tune_within_5_cents(name: str) -> None:
    pitch = reference(name) + 3
    samples = sound(name, pitch=pitch, seconds=1.6).sum(axis=0)[: round(1.5 * SAMPLE_RATE)]
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    size = 1 << 20
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size), size)) ** 2
    bins = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    near = np.abs(12 * np.log2(np.maximum(bins, 1) / frequency)) < 0.4
    centre = np.sum(np.log2(bins[near] / frequency) * power[near] ** 2) / np.sum(power[near] ** 2)
    assert abs(1200 * centre) < 5


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_the_same_tone_has_the_same_bytes_and_softer_is_quieter(name: str) -> None:
    assert sound(name).tobytes() == sound(name).tobytes()
    assert rms_db(sound(name, velocity=50)) == pytest.approx(rms_db(sound(name)) - 10.8, abs=3)


@pytest.mark.parametrize("name", ["saw_lead", "fm_lead", "plucked_string", "acid_bass"])
def test_a_harder_tone_is_brighter(name: str) -> None:
    def brightness(samples: Samples) -> float:
        power = np.abs(np.fft.rfft(samples[0])) ** 2
        return float(np.sum(power * np.arange(power.size)) / np.sum(power))

    assert brightness(sound(name, velocity=120)) > 1.05 * brightness(sound(name, velocity=40))


@pytest.mark.parametrize("name", ["bass_808", "acid_bass", "theremin", "fm_lead", "chip_pulse"])
def test_a_glide_starts_elsewhere_and_ends_at_the_pitch(name: str) -> None:
    plain, gliding = sound(name), sound(name, glide=-12)
    assert not np.allclose(plain[:, 2_000:4_000], gliding[:, 2_000:4_000], atol=1e-3)
    assert plain.shape == gliding.shape


def test_variations_come_round_after_four() -> None:
    assert sound("supersaw", variation=1).tobytes() == sound("supersaw", variation=5).tobytes()
    assert sound("supersaw", variation=1).tobytes() != sound("supersaw", variation=2).tobytes()


@pytest.mark.parametrize("name", ["riser", "reverse_cymbal"])
def test_a_rise_grows_to_its_end_and_a_fall_dies_away(name: str) -> None:
    rise, fall = sound(name, seconds=2.0), sound("downlifter", seconds=2.0)
    half = SAMPLE_RATE
    assert rms_db(rise[:, half : 2 * half]) > rms_db(rise[:, :half]) + 6
    assert rms_db(fall[:, :half]) > rms_db(fall[:, half : 2 * half]) + 6


def test_the_console_has_one_speaker() -> None:
    samples = sound("chip_pulse")
    np.testing.assert_array_equal(samples[0], samples[1])
