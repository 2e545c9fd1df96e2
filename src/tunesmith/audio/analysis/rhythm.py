"""Tempo estimation, beat tracking and downbeats of a sound.

The tempo must show both in the spectrum of the onsets, which also has its multiples, and in their autocorrelation,
which also has its fractions (Peeters 2006); dynamic programming finds the beats that keep to it best (Ellis 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio.analysis.features import HOP, RATE, SLOW_HOP, Features, Floats

LOWEST_BPM, HIGHEST_BPM = 45.0, 210.0
USUAL_BPM, OCTAVES_AROUND = 118.0, 1.2
LEAST_PULSE = 0.18
# A beat also has even subdivisions; other periodicities need not.
SUBDIVISIONS = (1, 2, 4)
TIGHTNESS = 400.0
# The standard deviation of beats from a straight line.
STEADY_SECONDS = 0.02
# The advantage that a bar of three needs, because most music has four.
WALTZ = 1.15
FRAMES_A_SECOND = RATE / HOP
# People tap between these tempos: none is doubled beyond the first or halved below the other.
FASTEST_DOUBLED, EQUAL = 150.0, 0.6
SLOWEST_HALVED, UNEQUAL = 66.0, 0.7

Frames = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The rhythm of a sound: beats and downbeats in seconds; ``is_steady`` if one tempo holds throughout."""

    tempo_bpm: float
    beats_a_bar: int
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]
    is_steady: bool


def rhythm_of(features: Features) -> Rhythm | None:
    """Return the rhythm; None if the onsets are not periodic."""
    onsets = features.onsets - features.onsets.mean()
    rough = _rough_tempo(onsets)
    if rough is None:
        return None
    frames = _tapped_beats(features, _beats(features.onsets, 60 / rough * FRAMES_A_SECOND))
    if len(frames) < 4:
        return None
    times = frames / FRAMES_A_SECOND
    numbers = np.arange(times.size)
    slope, start = np.polyfit(numbers, times, 1)
    is_steady = bool(np.std(times - (start + slope * numbers)) < STEADY_SECONDS)
    # The median ignores single missed or extra beats.
    period = slope if is_steady else float(np.median(np.diff(times)))
    # At a steady tempo, the regression line is more exact than single onsets, which frames quantise.
    if is_steady:
        times = start + slope * numbers
        times = times[times >= 0]
        frames = np.minimum(np.round(times * FRAMES_A_SECOND).astype(int), onsets.size - 1)
    beats_a_bar, first = _bars(accents_of(features, frames))
    beats = tuple(round(float(time), 5) for time in times)
    return Rhythm(round(60 / float(period), 2), beats_a_bar, beats, beats[first::beats_a_bar], is_steady)


def _tapped_beats(features: Features, frames: Frames) -> Frames:
    """Return the beats as people tap them: doubled if offbeats are about as strong, halved if every other is weak."""
    if frames.size < 8:
        return frames
    bpm = 60 * FRAMES_A_SECOND / float(np.median(np.diff(frames)))
    between = (frames[1:] + frames[:-1]) // 2
    if bpm * 2 <= FASTEST_DOUBLED and _strength(features, between) > EQUAL * _strength(features, frames):
        return np.sort(np.concatenate([frames, between]))
    even, odd = _strength(features, frames[::2]), _strength(features, frames[1::2])
    if bpm / 2 >= SLOWEST_HALVED and min(even, odd) < UNEQUAL * max(even, odd):
        return frames[int(odd > even) :: 2]
    return frames


def _strength(features: Features, frames: Frames) -> float:
    near = np.clip(frames[:, None] + np.arange(-2, 3), 0, features.onsets.size - 1)
    return float((features.onsets[near].max(axis=1) + features.low_onsets[near].max(axis=1)).mean())


def _rough_tempo(onsets: Floats) -> float | None:
    size = onsets.size
    if size < 2 * FRAMES_A_SECOND or not onsets.any():
        return None
    padded = 1 << (4 * size - 1).bit_length()
    # Padded to twice the length, or the FFT would give the circular autocorrelation.
    power = np.abs(np.fft.rfft(onsets, 2 * size)) ** 2
    correlation = np.fft.irfft(power)[:size]
    if correlation[round(0.25 * FRAMES_A_SECOND) : round(2 * FRAMES_A_SECOND)].max() < LEAST_PULSE * correlation[0]:
        return None
    candidates = np.arange(LOWEST_BPM, HIGHEST_BPM, 0.1)
    # Autocorrelation and spectrum at once: a wrong multiple of the tempo is strong in one, but rarely in both.
    repeats = np.interp(60 / candidates * FRAMES_A_SECOND, np.arange(size), correlation)
    spectrum = np.abs(np.fft.rfft(onsets * np.hanning(size), padded))
    frequencies = np.fft.rfftfreq(padded, 1 / FRAMES_A_SECOND)
    pulses = sum(np.interp(parts * candidates / 60, frequencies, spectrum) for parts in SUBDIVISIONS)
    # Listeners prefer tempos near USUAL_BPM, which settles the choice between multiples.
    preference = np.exp(-0.5 * (np.log2(candidates / USUAL_BPM) / OCTAVES_AROUND) ** 2)
    return float(candidates[np.argmax(np.maximum(repeats, 0) * pulses * preference)])


def _beats(onsets: Floats, period: float) -> Frames:
    """Return the frames of the beats, (beats,): strong onsets about ``period`` frames apart."""
    strength = _smoothed(onsets / (onsets.std() or 1), period)
    nearest, farthest = round(period / 2), round(2 * period)
    back = np.arange(-farthest, -nearest + 1)
    # By the logarithm, so that half and twice the period cost the same (Ellis, 2007).
    cost = -TIGHTNESS * np.log(-back / period) ** 2
    score, before = strength.astype(np.float64), np.full(strength.size, -1, np.int64)
    floor = 0.01 * float(strength.max())
    started = False
    for frame in range(strength.size):
        first = max(0, -(frame + back[0]))
        if first >= back.size:
            continue
        earlier = frame + back[first:]
        worth = cost[first:] + score[earlier]
        best = int(np.argmax(worth))
        # Until the first onset, a path may begin at any frame without a penalty.
        score[frame] = strength[frame] + max(0.0, worth[best]) if not started else strength[frame] + worth[best]
        started = started or strength[frame] > floor
        before[frame] = earlier[best] if worth[best] > 0 else -1
    return _track_beats(score, before, period)


def _track_beats(
    score: np.ndarray[tuple[int], np.dtype[np.float64]], before: Frames,
    period: float,
) -> Frames:  # fmt: skip
    """Return the best path, traced back from the best of the last frames."""
    last = score.size - min(score.size, round(2 * period))
    frame = last + int(np.argmax(score[last:]))
    path = []
    while frame >= 0:
        path.append(frame)
        frame = int(before[frame])
    return np.array(path[::-1], np.int64)


def _smoothed(onsets: Floats, period: float) -> Floats:
    reach = max(1, round(period / 8))
    weights = np.exp(-0.5 * (np.arange(-4 * reach, 4 * reach + 1) / (reach / 2)) ** 2)
    return np.asarray(np.convolve(onsets, weights / weights.sum(), "same"), np.float32)


def accents_of(features: Features, frames: Frames) -> Floats:
    """Return the accent of each beat, (beats,): its onset in the bass plus the change of harmony."""
    near = np.clip(frames[:, None] + np.arange(-3, 4), 0, features.low_onsets.size - 1)
    bass = features.low_onsets[near].max(axis=1)
    slow = np.clip(frames * HOP // SLOW_HOP, 0, len(features.chroma) - 1)
    beats = np.stack([features.chroma[a : max(a + 1, b)].mean(axis=0) for a, b in zip(slow, [*slow[1:], slow[-1] + 2],
                                                                                    strict=True)])  # fmt: skip
    beats /= np.linalg.norm(beats, axis=1, keepdims=True) + 1e-9
    change = np.concatenate([[0], 1 - (beats[1:] * beats[:-1]).sum(axis=1)])
    return np.asarray(bass / (bass.std() or 1) + change / (change.std() or 1), np.float32)


def _bars(accents: Floats) -> tuple[int, int]:
    """Return the beats per bar, 4 or 3, and the index of the first downbeat."""
    strengths = {}
    for beats_a_bar in (4, 3):
        phases = [accents[phase::beats_a_bar].mean() for phase in range(min(beats_a_bar, accents.size))]
        strengths[beats_a_bar] = (max(phases) - float(np.mean(phases)), int(np.argmax(phases)))
    beats_a_bar = 3 if strengths[3][0] > WALTZ * strengths[4][0] else 4
    return beats_a_bar, strengths[beats_a_bar][1]
