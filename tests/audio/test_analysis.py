"""What is heard is what was played: clicks at a tempo, chords in a key, and music of our own."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import clicks

import tunesmith
from tunesmith.audio import Audio
from tunesmith.audio.analysis.analyse import analyse
from tunesmith.audio.spool import Spool

RATE = 44_100


def chords(notes: list[list[int]]) -> Audio:
    time = np.arange(RATE) / RATE
    parts = [sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * time) for note in chord) for chord in notes]
    return Audio(np.concatenate(parts).astype(np.float32)[None] * 0.1, RATE)


@pytest.mark.parametrize("tempo", [62.0, 84.0, 100.0, 120.0, 128.5, 140.0])
def test_the_tempo_of_clicks_is_found_to_a_thousandth(tempo: float) -> None:
    rhythm = analyse(clicks(tempo)).rhythm
    assert rhythm is not None
    assert rhythm.tempo_bpm == pytest.approx(tempo, rel=2e-3)
    assert rhythm.is_steady


@pytest.mark.parametrize("beats_a_bar", [3, 4])
def test_bars_begin_on_the_loud_low_click(beats_a_bar: int) -> None:
    rhythm = analyse(clicks(110.0, beats_a_bar=beats_a_bar)).rhythm
    assert rhythm is not None
    assert rhythm.beats_a_bar == beats_a_bar
    bar = beats_a_bar * 60 / 110
    offsets = (np.array(rhythm.downbeats) - 0.3 + bar / 2) % bar - bar / 2
    assert np.abs(offsets).max() < 0.03


@pytest.mark.parametrize(
    ("notes", "key"),
    [
        ([[48, 60, 64, 67], [53, 65, 69, 72], [55, 67, 71, 74], [48, 60, 64, 67]], "C major"),
        ([[45, 57, 60, 64], [50, 62, 65, 69], [52, 64, 68, 71], [45, 57, 60, 64]], "A minor"),
        ([[54, 66, 70, 73], [59, 71, 75, 78], [61, 73, 77, 80], [54, 66, 70, 73]], "F# major"),
    ],
)
def test_the_key_of_chords_is_found(notes: list[list[int]], key: str) -> None:
    found = analyse(chords(notes * 2)).key
    assert found is not None
    assert found.name == key


def test_noise_and_silence_have_neither_beat_nor_key() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 10 * RATE)).astype(np.float32)
    assert analyse(Audio(noise, RATE)).rhythm is None
    silent = analyse(Audio(np.zeros((1, 5 * RATE), np.float32), RATE))
    assert (silent.rhythm, silent.key) == (None, None)


@pytest.mark.parametrize("size", [1, 100, 5_000])
def test_sounds_of_a_moment_are_heard_without_an_error(size: int) -> None:
    heard = analyse(Audio(np.full((1, size), 0.1, np.float32), RATE))
    assert heard.rhythm is None


def test_the_tempo_and_key_of_our_own_music_are_heard() -> None:
    heard = analyse(tunesmith.generate("bossa nova, 130 bpm, C major", duration=16, seed=3))
    assert heard.rhythm is not None
    assert heard.rhythm.tempo_bpm == pytest.approx(130, rel=2e-3)
    assert heard.key is not None
    assert heard.key.name == "C major"


def test_a_spooled_sound_is_heard_as_the_same_in_memory() -> None:
    audio = clicks(97.0)
    spool = Spool(1, memory_bytes=1)
    for block in audio.blocks(1_234):
        spool.append(block)
    one, other = analyse(audio), analyse(Audio(spool, RATE))
    np.testing.assert_allclose(one.features.onsets, other.features.onsets, atol=1e-4)
    assert one.rhythm == other.rhythm
