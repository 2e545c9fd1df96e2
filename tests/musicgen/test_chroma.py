from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import (
    Architecture,
    ChromaShape,
    CodecShape,
    TransformerShape,
)
from tunesmith.musicgen.chroma import Melody, audible_melody, chromagram, melody_window, silent_chroma
from tunesmith.neural.t5 import T5Shape

RATE = 32000
SHAPE = ChromaShape()
ARCHITECTURE = Architecture(
    decoder=TransformerShape(128, 1, 2, 512, 4),
    text_encoder=T5Shape(32, 1, 2, 16, 64, 100),
    codec=CodecShape(RATE, (8, 5, 4, 4), 4, 16, 4, 64),
    delays=(0, 1, 2, 3),
    chroma=SHAPE,
)
A4 = 440.0
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def _tone(frequency: float, seconds: float, rate: int = RATE) -> Melody:
    """A tone as an instrument makes it: harmonics that fade, and a decay."""
    time = np.arange(int(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * frequency * n * time) / n**1.5 for n in range(1, 7))
    return np.asarray(0.2 * harmonics * np.exp(-time), np.float32)


def _pitch(semitones_above_a4: float) -> float:
    return float(A4 * 2 ** (semitones_above_a4 / 12))


def _material(name: str) -> Melody:
    random = np.random.default_rng(7)
    if name == "tune":
        return np.concatenate([_tone(_pitch(p), 0.37) for p in random.integers(-14, 15, 60)])
    if name == "chords":
        roots = random.integers(-24, 0, 20)
        return np.concatenate([sum((_tone(_pitch(r + i), 0.9) for i in (0, 4, 7)), np.float32(0)) for r in roots])
    if name == "sweep":
        time = np.arange(20 * RATE) / RATE
        return np.asarray(np.sin(2 * np.pi * 55 * 20 / np.log(80) * (80 ** (time / 20) - 1)), np.float32)
    if name == "noise":
        return random.normal(0, 0.1, 7 * RATE).astype(np.float32)
    if name == "longer than the window":
        return np.tile(_material("tune"), 2)
    assert name == "shorter than a frame"
    return _tone(_pitch(3), 0.3)


def _reference(melody: Melody) -> NDArray[np.int64]:
    """The published feature extractor and model, step by step: the strongest bin of each frame."""
    import torch
    from transformers.audio_utils import chroma_filter_bank

    sound = torch.from_numpy(melody[: 30 * RATE])
    missing = max(0, 16384 - sound.numel())
    sound = torch.nn.functional.pad(sound, (missing // 2, missing // 2 + missing % 2))
    window = torch.hann_window(16384)
    spectrum = torch.stft(sound, 16384, 4096, window=window, center=True, pad_mode="reflect", return_complex=True)
    spectrum = spectrum / window.pow(2).sum().sqrt()
    filters = chroma_filter_bank(sampling_rate=RATE, num_frequency_bins=16384, tuning=0, num_chroma=12)
    raw = torch.from_numpy(filters).float() @ spectrum.abs().pow(2)
    bins = torch.nn.functional.normalize(raw, p=float("inf"), dim=0, eps=1e-6).argmax(0)
    result: NDArray[np.int64] = bins.repeat(-(-235 // bins.numel()))[:235].numpy()
    return result


@pytest.mark.parametrize("name", ["tune", "chords", "sweep", "noise", "longer than the window", "shorter than a frame"])
def test_the_strongest_pitch_classes_are_those_of_the_reference(name: str) -> None:
    melody = _material(name)
    chroma = chromagram(melody, ARCHITECTURE)
    np.testing.assert_array_equal(chroma.argmax(axis=1), _reference(melody))
    if name in ("tune", "sweep", "noise"):
        assert len(set(chroma.argmax(axis=1))) > 5


@pytest.mark.parametrize("octave", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("semitone", range(12))
def test_a_tone_lands_in_the_bin_of_its_name(semitone: int, octave: int) -> None:
    melody = _tone(_pitch(semitone - 9 + 12 * octave), 1.0)
    assert {NAMES[i] for i in chromagram(melody, ARCHITECTURE).argmax(axis=1)} == {NAMES[semitone]}


def test_each_frame_is_one_hot_and_there_are_as_many_as_the_model_takes() -> None:
    chroma = chromagram(_material("tune"), ARCHITECTURE)
    assert chroma.shape == (235, 12)
    assert chroma.dtype == np.float32
    assert set(np.unique(chroma)) == {0, 1}
    np.testing.assert_array_equal(chroma.sum(axis=1), 1)


def test_a_short_melody_is_repeated() -> None:
    bins = chromagram(np.concatenate([_tone(_pitch(0), 2), _tone(_pitch(5), 2)]), ARCHITECTURE).argmax(axis=1)
    period = 4 * RATE // SHAPE.hop + 1
    np.testing.assert_array_equal(bins[period:], bins[:-period])
    assert set(bins) >= {NAMES.index("A"), NAMES.index("D")}


def test_a_model_of_other_sizes_gets_its_own() -> None:
    architecture = replace(ARCHITECTURE, chroma=ChromaShape(num_chroma=24, fft_size=8192, hop=2048, num_frames=40))
    chroma = chromagram(_tone(A4, 1.0), architecture)
    assert chroma.shape == (40, 24)
    assert set(chroma.argmax(axis=1)) == {2 * NAMES.index("A")}


def test_no_melody_is_the_first_bin_throughout() -> None:
    chroma = silent_chroma(SHAPE)
    assert chroma.shape == (235, 12)
    np.testing.assert_array_equal(chroma[:, 0], 1)
    assert chroma.sum() == 235
    np.testing.assert_array_equal(chromagram(np.zeros(RATE, np.float32), ARCHITECTURE), chroma)


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.zeros(0), np.full(RATE, 1e-7)])
def test_a_silent_melody_is_refused(samples: NDArray[np.float64]) -> None:
    with pytest.raises(InvalidRequest, match="melody: is silent"):
        audible_melody(samples.astype(np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_melody_of_broken_samples_is_refused(bad: float) -> None:
    samples = _tone(A4, 1)
    samples[500] = bad
    with pytest.raises(InvalidRequest, match="melody: has samples that are NaN or infinite"):
        audible_melody(samples)


def test_windows_go_round_a_melody_that_is_too_short() -> None:
    melody = np.arange(5 * RATE, dtype=np.float32)
    window = melody_window(melody, RATE, 18.0, 30.0)
    assert window.size == 30 * RATE
    np.testing.assert_array_equal(window, np.tile(melody, 10)[18 * RATE : 48 * RATE])


def test_windows_of_a_long_melody_are_its_stretches() -> None:
    melody = np.arange(70 * RATE, dtype=np.float32)
    np.testing.assert_array_equal(melody_window(melody, RATE, 36.0, 30.0), melody[36 * RATE : 66 * RATE])
