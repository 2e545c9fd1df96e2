"""Music is told from music: a hook that returns, a usual tone, the words' mood and an end earn points, by degrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tunesmith.audio import Audio
from tunesmith.audio.analysis.musical_quality import MusicalTargets, measure_music
from tunesmith.audio.analysis.quality import Finding, QualityTargets

RATE = 22_050
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
BAR_SECONDS = 2.0
NO_WORDS = MusicalTargets()
STATED = {"settings": {"tempo_bpm": 120.0, "meter": "4/4"}, "request": {}}


def note(pitch: int, seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    at = np.arange(round(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * harmonic * at) / harmonic for harmonic in (1, 2, 3, 4))
    return np.asarray(0.2 * wave * np.exp(-4 * at) * np.minimum(1, at / 0.005), np.float32)


def tune(bars: list[list[int]], *, notes_a_bar: int = 4) -> Audio:
    """Return bars of pitches, each bar played by as many equal notes, repeated where it has fewer."""
    length = BAR_SECONDS / notes_a_bar
    played = [note(bar[at % len(bar)], length) for bar in bars for at in range(notes_a_bar)]
    return Audio(np.concatenate(played)[None], RATE, STATED)


def found(audio: Audio, measure: str, words: MusicalTargets = NO_WORDS, *, loop: bool = False) -> Finding:
    quality = measure_music(audio, QualityTargets(loop=loop), words)
    [finding] = [one for one in quality.findings if one.measure == measure]
    return finding


def any_bars(count: int) -> list[list[int]]:
    random = np.random.default_rng(3)
    return [[int(pitch) for pitch in random.integers(48, 84, 4)] for _ in range(count)]


def test_a_hook_that_returns_earns_more_than_one_that_does_not() -> None:
    theme = [[60, 64, 67, 72], [65, 69, 72, 65], [67, 71, 74, 67], [60, 64, 60, 55]]
    returning, wandering = found(tune(theme * 2), "hook"), found(tune(any_bars(8)), "hook")
    assert returning.score == 1
    assert returning.reason.startswith("its hook returns")
    assert wandering.score < 0.6
    assert found(tune(theme[:1]), "hook") == Finding("hook", 0.5, "too short for a hook to return")


def test_the_mood_is_nearer_the_words_with_as_much_motion_and_their_mode() -> None:
    bars = [[60, 64, 67, 72]] * 6
    lively, calm = tune(bars, notes_a_bar=16), tune(bars, notes_a_bar=1)
    energetic, peaceful = MusicalTargets((0.5, 0.9)), MusicalTargets((0.3, -0.9))
    assert found(lively, "mood", energetic).score > found(calm, "mood", energetic).score
    assert found(calm, "mood", peaceful).score > found(lively, "mood", peaceful).score
    assert found(calm, "mood", energetic).reason == "calmer than the words"
    assert "mood" not in {one.measure for one in measure_music(calm, QualityTargets()).findings}


@pytest.mark.parametrize(("low", "high", "least", "most"), [(115, 125, 1, 1), (55, 62, 1, 1), (135, 145, 0.3, 0.9)])
def test_a_genre_has_its_tempo_or_half_or_double(low: float, high: float, least: float, most: float) -> None:
    bars = [[60, 64, 67, 72]] * 8
    score = found(tune(bars), "genre", MusicalTargets(None, "House", (low, high))).score
    assert least <= score <= most


def test_an_end_that_dies_away_earns_more_than_a_cut_and_than_long_silence() -> None:
    samples = tune(any_bars(3)).samples
    cut = Audio(samples[:, : samples.shape[1] - RATE // 3 - RATE // 20], RATE, STATED)
    fading = Audio(samples * np.linspace(1, 0, samples.shape[1], dtype=np.float32) ** 2, RATE, STATED)
    silent = Audio(np.pad(samples, ((0, 0), (0, 4 * RATE))), RATE, STATED)
    assert found(fading, "ending").score > found(cut, "ending").score + 0.2
    assert found(silent, "ending").score < 0.6
    assert "silence at the end" in found(silent, "ending").reason
    assert "ending" not in {one.measure for one in measure_music(cut, QualityTargets(loop=True)).findings}


def test_the_tone_is_the_nearer_the_usual_the_more_octaves_are_filled() -> None:
    random = np.random.default_rng(1)
    spectrum = np.fft.rfft(random.standard_normal(6 * 44_100))
    hertz = np.maximum(40, np.fft.rfftfreq(6 * 44_100, 1 / 44_100))
    usual, bright = (np.fft.irfft(spectrum * hertz**slope) for slope in (-1.1, 0.0))
    sounds = [Audio((0.1 * noise / noise.std()).astype(np.float32)[None], 44_100) for noise in (usual, bright)]
    near, far = (found(sound, "tone") for sound in sounds)
    assert near.score > far.score + 0.2
    assert "around" in far.reason
