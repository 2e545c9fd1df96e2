"""Quality: what is broken or not as asked is found, named and costs points, and nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sounds import clicks

from tunesmith.audio import Audio
from tunesmith.audio.analysis.analyse import analyse
from tunesmith.audio.analysis.level_stats import OCTAVES_HZ, levels_of
from tunesmith.audio.analysis.loop_seam import seam_of
from tunesmith.audio.analysis.quality import Finding, Quality, QualityTargets, TargetKey, fault_findings

RATE = 44_100
D_MINOR = TargetKey("D minor", (2, 4, 5, 7, 9, 10, 0))


def tone(hertz: float, seconds: float = 4.0, amplitude: float = 0.3) -> np.ndarray[Any, np.dtype[np.float32]]:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(amplitude * np.sin(2 * np.pi * hertz * at), np.float32)


def chords(pitches: list[tuple[int, ...]], seconds: float = 1.0) -> Audio:
    """Return chords of MIDI pitches one after another, with a few harmonics each."""
    bars = [
        sum(tone(440 * 2 ** ((pitch - 69) / 12) * harmonic, seconds, 0.1 / harmonic)
            for pitch in chord for harmonic in (1, 2, 3))
        for chord in pitches
    ]  # fmt: skip
    return Audio(np.concatenate(bars)[None], RATE)


def finding(quality: Quality, measure: str) -> Finding:
    (found,) = [one for one in quality.findings if one.measure == measure]
    return found


def measure_quality(audio: Audio, wanted: QualityTargets | None = None) -> Quality:
    return Quality(fault_findings(audio, levels_of(audio), analyse(audio), wanted or QualityTargets()))


def pinkish(seconds: float = 6.0, slope: float = -0.8) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return noise whose amplitude falls with the frequency's power of ``slope``, at about −20 dBFS."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(round(seconds * RATE)))
    frequencies = np.maximum(30, np.fft.rfftfreq(round(seconds * RATE), 1 / RATE))
    noise = np.fft.irfft(spectrum * frequencies**slope)
    return np.asarray(0.1 * noise / noise.std(), np.float32)


@pytest.mark.parametrize(("seconds", "share"), [(0.0, 0.0), (1.0, 0.1), (5.0, 0.5)])
def test_the_silent_share_and_the_longest_gap_are_measured(seconds: float, share: float) -> None:
    samples = tone(300, 10.0)
    samples[RATE : RATE + round(seconds * RATE)] = 0
    levels = levels_of(Audio(samples[None], RATE))
    assert levels.silent == pytest.approx(share, abs=0.01)
    assert levels.longest_gap == pytest.approx(seconds, abs=0.06)


def test_a_waveform_cut_off_is_clipped_and_one_that_touches_full_scale_is_not() -> None:
    assert levels_of(Audio(tone(300, amplitude=0.9989)[None], RATE)).clipped == 0
    touching = tone(300)
    touching[5000:5002] = 1.0
    assert levels_of(Audio(touching[None], RATE)).clipped == 0
    cut = np.clip(tone(300, amplitude=2.0), -1, 1)
    assert levels_of(Audio(cut[None], RATE)).clipped == pytest.approx(2 / 3, abs=0.02)  # |sin| > 1/2 two thirds of it


@pytest.mark.parametrize("octave", range(len(OCTAVES_HZ)))
def test_a_tone_lies_in_its_octave(octave: int) -> None:
    shares = levels_of(Audio(tone(OCTAVES_HZ[octave])[None], RATE)).octaves
    assert shares[octave] > 0.99
    assert sum(shares) == pytest.approx(1)


def test_long_sounds_are_measured_in_blocks_like_short_ones() -> None:
    samples = np.stack([pinkish(), pinkish()[::-1]])
    whole, doubled = levels_of(Audio(samples, RATE)), levels_of(Audio(np.tile(samples, 30), RATE))
    assert doubled.octaves == pytest.approx(whole.octaves, rel=0.05)
    assert doubled.loudness_lufs == pytest.approx(whole.loudness_lufs, abs=0.1)


def test_a_sound_without_faults_has_all_points() -> None:
    quality = measure_quality(Audio(pinkish()[None], RATE))
    assert quality.score == 100
    assert {one.measure for one in quality.findings} == {"silence", "clipping", "loudness", "balance"}


@pytest.mark.parametrize(("samples", "measure", "words"), [
    (np.zeros((2, RATE), np.float32), "silence", "it is silent"),
    (np.zeros((1, 0), np.float32), "silence", "it is silent"),
    (np.concatenate([pinkish(2), np.zeros(8 * RATE, np.float32)])[None], "silence", "80% silent, up to 8.0 s"),
    (np.clip(pinkish() * 30, -1, 1)[None], "clipping", "of it is clipped"),
    (pinkish()[None] * 0.02, "loudness", "LUFS"),
    (tone(70)[None], "balance", "boomy"),
    (pinkish(slope=0.3)[None], "balance", "shrill"),
    (pinkish(slope=-3)[None], "balance", "boomy"),
    (tone(500)[None], "balance", "dull"),
])  # fmt: skip
def test_a_fault_is_named_first_and_costs_points(
    samples: np.ndarray[Any, np.dtype[np.float32]], measure: str, words: str
) -> None:
    quality = measure_quality(Audio(samples, RATE))
    assert words in finding(quality, measure).reason
    assert finding(quality, measure).score < 0.5
    assert quality.score < 85
    assert finding(quality, measure).reason in quality.reasons[:2]


def test_silence_and_clipping_spoil_everything() -> None:
    assert measure_quality(Audio(np.zeros((1, RATE), np.float32), RATE)).score == 0
    assert measure_quality(Audio(np.sign(pinkish())[None], RATE)).score == 0


@pytest.mark.parametrize(("asked", "least", "most"), [
    ((100, 100), 1.0, 1.0),
    ((95, 105), 1.0, 1.0), ((100.5, 100.5), 1.0, 1.0), ((200, 200), 0.9, 0.9), ((50, 50), 0.9, 0.9),
    ((104, 104), 0.4, 0.8), ((115, 115), 0.0, 0.2), ((85, 90), 0.0, 0.2),
])  # fmt: skip
def test_a_tempo_is_as_asked_or_not(asked: tuple[float, float], least: float, most: float) -> None:
    found = finding(measure_quality(clicks(100), QualityTargets(asked)), "tempo")
    assert least <= found.score <= most
    assert found.reason.startswith("100.0 bpm (target")


def test_where_no_beat_or_key_is_heard_nothing_is_known() -> None:
    quality = measure_quality(Audio(pinkish()[None], RATE), QualityTargets((100, 120), D_MINOR))
    assert finding(quality, "tempo") == Finding("tempo", 0.5, "no clear beat (target 100 to 120 bpm)")
    assert finding(quality, "key").score <= 0.6


@pytest.mark.parametrize(("wanted", "score"), [
    (D_MINOR, 1.0),
    (TargetKey("D harmonic minor", (2, 4, 5, 7, 9, 10, 1)), 1.0),
    (TargetKey("F major", (5, 7, 9, 10, 0, 2, 4)), 0.85),
    (TargetKey("A minor", (9, 11, 0, 2, 4, 5, 7)), 0.6),
    (TargetKey("F# major", (6, 8, 10, 11, 1, 3, 5)), 0.1),
])  # fmt: skip
def test_a_key_is_the_nearer_the_more_notes_it_shares(wanted: TargetKey, score: float) -> None:
    piece = chords([(38, 62, 65, 69), (43, 62, 67, 70), (45, 61, 64, 69), (38, 62, 65, 69)])
    found = finding(measure_quality(piece, QualityTargets(key=wanted)), "key")
    assert (found.reason, found.score) == (f"D minor (target {wanted.name})", score)


def test_the_loudness_asked_for_counts() -> None:
    piece = Audio(pinkish()[None], RATE)
    measured = levels_of(piece).loudness_lufs
    assert finding(measure_quality(piece, QualityTargets(loudness_lufs=round(measured, 1))), "loudness").score == 1
    assert finding(measure_quality(piece, QualityTargets(loudness_lufs=measured + 12)), "loudness").score == 0


def test_a_loop_of_whole_waves_is_seamless_and_one_cut_anywhere_is_not() -> None:
    whole = Audio(tone(300, 4.0)[None], RATE)
    cut = Audio(tone(300, 4.0)[: RATE * 3 + 37][None], RATE)
    assert seam_of(whole).step < 1.5
    assert seam_of(cut).step > 5
    assert finding(measure_quality(whole, QualityTargets(loop=True)), "seam") == Finding(
        "seam", 1.0, "the loop is seamless"
    )
    assert finding(measure_quality(cut, QualityTargets(loop=True)), "seam").reason == "the seam of the loop is audible"


def test_a_loop_that_fades_out_is_heard_to_end() -> None:
    samples = pinkish()
    faded = samples * np.linspace(1, 0, samples.size, dtype=np.float32)
    assert finding(measure_quality(Audio(samples[None], RATE), QualityTargets(loop=True)), "seam").score > 0.9
    assert finding(measure_quality(Audio(faded[None], RATE), QualityTargets(loop=True)), "seam").score < 0.5


def test_a_very_short_loop_is_measured_too() -> None:
    assert seam_of(Audio(np.zeros((1, 10), np.float32), RATE)).change == 0
    assert seam_of(Audio(np.zeros((1, 0), np.float32), RATE)).step == 0
