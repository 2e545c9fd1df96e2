"""Loops, fits and stitches: lengths are exact, joints are no louder than the music, beats stay on the grid."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sounds import clicks

import tunesmith
from tunesmith.audio import Audio
from tunesmith.audio.analysis.analyse import analyse
from tunesmith.audio.find_loop import seamless
from tunesmith.audio.fit_length import fit
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.stitch import stitch
from tunesmith.errors import InvalidRequest

RATE = 44_100


def steps(audio: Audio) -> NDArray[np.float32]:
    return np.asarray(np.abs(np.diff(audio.samples.mean(axis=0))), np.float32)


@pytest.fixture(scope="module")
def song() -> Audio:
    return tunesmith.generate("bossa nova, 130 bpm, C major", duration=24, seed=3)


@pytest.fixture(scope="module")
def drone() -> Audio:
    time = np.arange(10 * RATE) / RATE
    return Audio((0.2 * np.sin(2 * np.pi * 220 * time) * (1 + 0.1 * np.sin(time)))[None].astype(np.float32), RATE)


@pytest.mark.parametrize("tempo", [90.0, 125.0])
@pytest.mark.parametrize("bars", [1, 4])
def test_a_loop_is_a_whole_number_of_bars(tempo: float, bars: int) -> None:
    audio, points = seamless(clicks(tempo, 30), bars)
    assert points.bars == bars
    assert audio.duration == pytest.approx(bars * 4 * 60 / tempo, abs=0.015)


def test_a_loop_repeated_keeps_the_beat_and_has_no_click(song: Audio) -> None:
    once, points = seamless(song)
    thrice = Audio(np.tile(once.samples, 3), RATE)
    assert points.bars >= 4
    rhythm = analyse(thrice).rhythm
    assert rhythm is not None
    assert rhythm.tempo_bpm == pytest.approx(130, rel=5e-3)
    around = steps(thrice)[once.num_samples - 50 : once.num_samples + 50]
    assert around.max() < 1.5 * np.percentile(steps(once), 99.9)


def test_without_a_beat_the_whole_sound_loops(drone: Audio) -> None:
    audio, points = seamless(drone)
    assert points.bars == 0
    assert np.abs(audio.samples[:, 0] - audio.samples[:, -1]).max() < 2 * steps(drone).max()


@pytest.mark.parametrize("bars", [0, 500])
def test_bars_that_cannot_be_are_refused(bars: int) -> None:
    with pytest.raises(InvalidRequest, match="bars: "):
        seamless(clicks(120), bars)


@pytest.mark.parametrize("duration", [3.0, 11.0, 23.9, 24.0, 24.5, 40.0, 100.123])
def test_a_fit_is_exact_to_the_sample_and_has_no_click(song: Audio, duration: float) -> None:
    fitted = fit(song, duration)
    assert fitted.audio.num_samples == round(duration * RATE)
    assert steps(fitted.audio).max() < 1.2 * steps(song).max()


def test_a_fit_takes_out_or_repeats_whole_bars_on_the_beat(song: Audio) -> None:
    for duration in (14.0, 50.0):
        fitted = fit(song, duration)
        assert "bar" in fitted.done
        rhythm = analyse(fitted.audio).rhythm
        assert rhythm is not None
        assert rhythm.is_steady
        assert rhythm.tempo_bpm == pytest.approx(130, rel=5e-3)


@pytest.mark.parametrize("duration", [4.0, 25.0])
def test_a_sound_without_a_beat_is_fitted_too(drone: Audio, duration: float) -> None:
    fitted = fit(drone, duration)
    assert fitted.audio.num_samples == round(duration * RATE)
    assert "no beat" in fitted.done
    middle = fitted.audio.samples[0, RATE : -4 * RATE] if duration > 10 else fitted.audio.samples[0, RATE : 2 * RATE]
    levels = np.sqrt((middle[: middle.size // 4410 * 4410].reshape(-1, 4410) ** 2).mean(axis=1))
    assert levels.min() > 0.6 * levels.max()


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), 1e9])
def test_lengths_that_cannot_be_are_refused(drone: Audio, duration: float) -> None:
    with pytest.raises(InvalidRequest, match="duration: "):
        fit(drone, duration)


def test_stitched_sounds_meet_on_the_beat_and_are_equally_loud(song: Audio) -> None:
    quiet = Audio(clicks(130, 20).samples * 0.05, RATE)
    joined, (transition,) = stitch([song, quiet])
    assert transition.on_the_beat
    assert transition.tempo_bpm == pytest.approx((130, 130), rel=5e-3)
    assert transition.seconds == pytest.approx(4 * 60 / 130, rel=5e-3)
    assert joined.channels == 2
    first, second = joined.samples[:, : 15 * RATE], joined.samples[:, -10 * RATE :]
    assert abs(loudness_of(Audio(first, RATE)) - loudness_of(Audio(second, RATE))) < 3


def test_a_crossfade_of_so_many_seconds_is_so_long(song: Audio, drone: Audio) -> None:
    joined, (transition,) = stitch([drone, song], crossfade=3)
    assert transition.seconds == 3
    assert joined.duration < drone.duration + song.duration - 2.9


def test_sounds_that_cannot_be_stitched_are_refused(song: Audio) -> None:
    short = Audio(song.samples[:, :RATE], RATE)
    for pieces, crossfade in (([song], None), ([song, short], 5.0), ([song, song], -1.0)):
        with pytest.raises(InvalidRequest):
            stitch(pieces, crossfade)


PIECES = {
    "lofi hip hop, 85 bpm": (24, 1), "funk groove, 96 bpm": (24, 2), "techno, 128 bpm": (24, 4),
    "calm piano, 72 bpm": (30, 8), "rock, 140 bpm": (20, 10),
}  # fmt: skip
"""Prompts with durations and seeds: drums that an ear takes for twice as fast, offbeat basses, chords that die away."""


@cache
def piece(prompt: str) -> Audio:
    duration, seed = PIECES[prompt]
    return tunesmith.generate(prompt, duration=duration, seed=seed)


def flux(samples: NDArray[np.float32], hop: int = 512, size: int = 2048) -> NDArray[np.float64]:
    """How much of the spectrum is new from each frame to the next."""
    mono = np.pad(samples.mean(axis=0), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    spectra = np.log1p(100 * np.abs(np.fft.rfft(frames, axis=1)))
    return np.asarray(np.maximum(np.diff(spectra, axis=0), 0).mean(axis=1), np.float64)


def level(samples: NDArray[np.float32]) -> float:
    return 10 * float(np.log10(np.square(samples, dtype=np.float64).mean() + 1e-12))


@pytest.mark.parametrize("prompt", PIECES)
def test_the_seam_of_a_loop_is_no_more_than_any_first_beat_of_the_piece(prompt: str) -> None:
    once, points = seamless(piece(prompt))
    beat = 60 / float(prompt.split(", ")[1].split()[0])
    assert once.duration / beat == pytest.approx(points.bars * 4, abs=0.05)
    source, frames = flux(piece(prompt).samples), RATE / 512
    firsts = [round(number * 4 * beat * frames) for number in range(1, int(piece(prompt).duration / beat / 4))]
    usual = max(source[first - 3 : first + 4].max() for first in firsts)
    seam = round(once.num_samples / 512)
    assert flux(np.tile(once.samples, 2))[seam - 3 : seam + 4].max() < 1.15 * usual
    near, begin = round(0.05 * RATE), round(points.start * RATE)
    sources = [level(piece(prompt).between(at - near, at)) for at in (begin, round(points.end * RATE))]
    assert level(once.samples[:, -near:]) > min(sources) - 1


@pytest.mark.parametrize("first", PIECES)
@pytest.mark.parametrize("second", ["techno, 128 bpm", "calm piano, 72 bpm"])
def test_a_joint_is_on_a_bar_and_no_hole(first: str, second: str) -> None:
    joined, (transition,) = stitch([piece(first), piece(second)])
    tempo = float(first.split(", ")[1].split()[0])
    assert transition.on_the_beat
    assert transition.tempo_bpm[0] == tempo
    assert transition.at / (4 * 60 / tempo) == pytest.approx(round(transition.at / (4 * 60 / tempo)), abs=0.01)
    at, size = round(transition.at * RATE), round(transition.seconds * RATE)
    before, joint, after = (level(joined.between(at + size * bar, at + size * (bar + 1))) for bar in (-1, 0, 1))
    assert joint > min(before, after) - 1


@pytest.mark.parametrize("prompt", PIECES)
@pytest.mark.parametrize("duration", [10.0, 17.3, 45.0, 100.0])
def test_the_last_note_of_a_fitted_piece_falls_on_the_grid_and_is_not_chopped(prompt: str, duration: float) -> None:
    tempo, source = float(prompt.split(", ")[1].split()[0]), piece(prompt)
    fitted = fit(source, duration).audio
    # The same threshold for both, so that the same note is the last one.
    threshold = 0.7 * np.percentile(flux(source.samples), 97)
    ends = [np.flatnonzero(flux(audio.samples) > threshold)[-1] * 512 / RATE for audio in (source, fitted)]
    ring, fitted_ring = source.duration - ends[0], duration - ends[1]
    assert fitted_ring > min(0.4, ring)
    beats = (source.duration - ring - ends[1]) * tempo / 60
    assert beats * 4 == pytest.approx(round(beats * 4), abs=0.35)  # sixteenth notes
