"""Loudness: the tones of EBU Tech 3341, and agreement with another implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.k_weighting import k_weighting
from tunesmith.audio.loudness import LoudnessMeter, loudness_of
from tunesmith.audio.sample_format import SampleFormat
from tunesmith.audio.spool import Samples
from tunesmith.audio.true_peak import TAPS, TruePeakMeter, _filters, highest_between, true_peak_of


def tone(steps: list[tuple[float, float]], rate: int = 48000, hertz: float = 1000.0) -> Audio:
    """Stereo sine in phase: (level dBFS, seconds) one after the other."""
    levels = np.concatenate([np.full(round(seconds * rate), 10 ** (level / 20)) for level, seconds in steps])
    wave = (levels * np.sin(2 * np.pi * hertz * np.arange(levels.size) / rate)).astype(np.float32)
    return Audio(np.stack([wave, wave]), rate)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize(("steps", "lufs"), [
    ([(-23, 20)], -23), ([(-33, 20)], -33), ([(-40, 20)], -40),
    ([(-36, 10), (-23, 60), (-36, 10)], -23),
    ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
    ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
])  # fmt: skip
def test_ebu_tones_read_within_a_tenth(rate: int, steps: list[tuple[float, float]], lufs: float) -> None:
    assert loudness_of(tone(steps, rate)) == pytest.approx(lufs, abs=0.1)


def test_the_filter_at_48_khz_is_the_one_printed_in_bs_1770() -> None:
    shelf, high_pass = k_weighting(48000)
    assert shelf == pytest.approx(
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585], abs=1e-6
    )
    assert high_pass == pytest.approx([1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621], abs=1e-6)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_noise_agrees_with_pyloudnorm(rate: int, channels: int) -> None:
    import pyloudnorm

    random = np.random.default_rng(3)
    swell = np.abs(np.sin(np.arange(12 * rate) / rate)) ** 3
    sound: Samples = (random.normal(0, 0.2, (channels, 12 * rate)) * swell).astype(np.float32)
    twin = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound.T.astype(np.float64))
    assert loudness_of(Audio(sound, rate)) == pytest.approx(twin, abs=0.05)


def test_block_size_does_not_matter() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 44100)).astype(np.float32)
    meters = LoudnessMeter(44100, 2), LoudnessMeter(44100, 2)
    peaks = TruePeakMeter(2), TruePeakMeter(2)
    for meter, peak, size in zip(meters, peaks, (44100, 701), strict=True):
        for at in range(0, 44100, size):
            meter.add(sound[:, at : at + size])
            peak.add(sound[:, at : at + size])
    assert meters[0].integrated() == pytest.approx(meters[1].integrated(), abs=1e-9)
    assert peaks[0].peak() == pytest.approx(peaks[1].peak(), abs=1e-7)


def test_silence_and_very_short_sounds_have_a_loudness() -> None:
    assert loudness_of(Audio(np.zeros((2, 44100), np.float32), 44100)) == -math.inf
    assert loudness_of(Audio(np.zeros((2, 0), np.float32), 44100)) == -math.inf
    assert loudness_of(tone([(-20, 0.3)])) == pytest.approx(-20, abs=1.0)


@pytest.mark.parametrize(("divisor", "phase", "low", "high"), [
    (4, 0.0, -0.4, 0.2), (4, math.pi / 4, -0.4, 0.2), (6, math.pi / 3, -0.4, 0.2), (8, math.pi / 8, -0.4, 0.2),
])  # fmt: skip
def test_true_peak_sees_between_the_samples(divisor: int, phase: float, low: float, high: float) -> None:
    rate = 48000  # EBU Tech 3341 cases 15 to 18: sines of a quarter, sixth and eighth of the rate read −6 dBTP
    wave = 0.5 * np.sin(2 * np.pi * np.arange(rate) / divisor + phase)
    rise = np.minimum(1, np.arange(rate) / 2000)
    audio = Audio((wave * rise * rise[::-1])[None].astype(np.float32), rate)
    assert low <= true_peak_of(audio) - 20 * math.log10(0.5) <= high


def test_true_peak_is_never_below_the_sample_peak_and_counts_the_ends() -> None:
    for position in (0, 50, 99):
        sound = np.zeros((1, 100), np.float32)
        sound[0, position] = -0.7
        assert true_peak_of(Audio(sound, 44100)) >= 20 * math.log10(0.7) - 1e-4
    assert true_peak_of(Audio(np.zeros((1, 100), np.float32), 44100)) == -math.inf


@pytest.mark.parametrize("size", [0, TAPS - 1, TAPS, TAPS + 1, 127, 128, 150, 151, 152, 279, 5000])
def test_the_points_between_are_those_of_the_plain_filters(size: int) -> None:
    channel = np.random.default_rng(size).normal(0, 0.3, size).astype(np.float32)
    plain = [np.abs(np.correlate(channel, taps, "valid")).max() for taps in _filters() if size >= TAPS]
    assert highest_between(channel) == pytest.approx(max(plain, default=0.0), rel=1e-5)


def surround(levels_dbfs: list[float | None], rate: int = 48_000, mask: int | None = None, hertz: float = 997) -> Audio:
    """Return 4 s of a tone in every channel, None for silence."""
    wave = np.sin(2 * np.pi * hertz * np.arange(4 * rate) / rate)
    rows = [np.zeros_like(wave) if level is None else 10 ** (level / 20) * wave for level in levels_dbfs]
    return Audio(np.stack(rows).astype(np.float32), rate, sample_format=SampleFormat(channel_mask=mask))


@pytest.mark.parametrize("rate", [1_000, 2_000, 3_000, 3_364, 4_000, 6_000, 7_999, 8_000, 44_100, 192_000])
def test_a_tone_at_full_scale_in_one_front_channel_is_3_lufs_below_zero_at_every_rate(rate: int) -> None:
    hertz = 997 if rate > 2_500 else 250
    at_48_khz = loudness_of(surround([0], hertz=hertz))
    assert at_48_khz == pytest.approx(-3.01 if hertz == 997 else -3.85, abs=0.05)
    assert loudness_of(surround([0], rate, hertz=hertz)) == pytest.approx(at_48_khz, abs=0.25 if rate == 8_000 else 0.1)


@pytest.mark.parametrize(("levels", "mask", "lufs"), [
    ([-28, -28, -24, None, -30, -30], None, -23.0), ([-28, -28, -24, None, -30, -30], 0x60F, -23.0),
    ([-28, -28, -24, 0, -30, -30], None, -23.0), ([-24, None, -28, 0, -30, -30, -28], 0x70F, -22.92),
    ([0, None, None, None], None, -3.01), ([None, None, 0, None], None, -3.01 + 1.49),
    ([None, None, None, 0, None, None], None, -math.inf), ([None, None, None, None, 0, None], None, -3.01 + 1.49),
    ([None] * 5 + [0], 0x60F, -3.01 + 1.49), ([None, None, None, 0, None], 0x37, -3.01 + 1.49),
])  # fmt: skip
def test_channels_weigh_as_their_speakers_do(levels: list[float | None], mask: int | None, lufs: float) -> None:
    assert loudness_of(surround(levels, mask=mask)) == pytest.approx(lufs, abs=0.1)


def test_the_weights_are_the_same_in_blocks() -> None:
    sound = surround([-28, -28, -24, -10, -30, -30], 3_000)
    meter = LoudnessMeter(3_000, 6)
    for block in sound.blocks(701):
        meter.add(block)
    assert meter.integrated() == pytest.approx(loudness_of(sound), abs=1e-9)


@pytest.mark.parametrize("rate", [1_000, 3_000, 7_999])
def test_the_true_peak_is_measured_at_low_rates(rate: int) -> None:
    at = np.arange(4 * rate)
    wave = (0.5 * np.sin(2 * np.pi * (at / 4) + np.pi / 4)).astype(np.float32)  # its samples miss its peaks by 3 dB
    assert true_peak_of(Audio(wave[None], rate)) == pytest.approx(20 * math.log10(0.5), abs=0.3)
