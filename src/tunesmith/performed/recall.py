"""Recall: how much of the notes that were asked for can be heard in a sound.

A pitch class is heard where its chroma stands out from the classes that nobody plays; an onset where the sound has one
within 60 ms. Even a perfect performer does not reach 1 everywhere: chords that are short and close blur in any chroma,
and soft onsets hide behind loud ones. docs/performing.md has what others reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio import Audio
from tunesmith.audio.analysis.features import RATE, SLOW_FRAME, SLOW_HOP, Features, features_of
from tunesmith.audio.analysis.onset_times import onset_times
from tunesmith.generator import TimedNote

TOLERANCE_SECONDS = 0.06
LEAST_POSSIBLE = 0.1
"""Where chance finds more than the rest of this, a full recall says little."""
LONGEST_LAG, LAG_STEP = 0.4, 0.02
LEAST_FOUND = 0.5
"""Onsets of something else agree with some shift by chance, but not half of those that chance does not find."""
# A distance of exactly the tolerance counts, however the seconds are rounded.
ROUNDING = 1e-9
CHORD_SECONDS = 0.04
"""Notes that begin within a frame of each other are one onset."""
STANDS_OUT = 1.25
LEAST_SHARE = 1 / 3
"""A note is heard if its pitch class stands out for so much of its length: most tones decay."""
RINGING_SECONDS = 1.0
"""A class is that of nobody only where it has not been played for so long, because of pedal and reverb."""
SHORTEST_SECONDS = 0.1
GRID_RATE = 100
FEWEST_CLASSES = 2
"""Fewer silent classes are too few to compare with; the weakest of all take their place then."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Recall:
    """The shares, 0 to 1, of the notes whose pitch class is heard while they sound, and of the onsets that are heard.

    ``onset_chance`` is the share of onsets anywhere that would be found: a sound that clatters all the time has 1.
    ``lag_seconds`` is how much later than written the onsets come, within 0.4 s and in steps of 20 ms; 0 where the
    onsets of the sound are not those that are written.
    """

    pitch_classes: float
    onsets: float
    onset_chance: float
    lag_seconds: float

    @property
    def total(self) -> float:
        """The mean of both, the onsets beyond chance, by which performances are compared."""
        return (self.pitch_classes + self.onsets_beyond_chance) / 2

    @property
    def onsets_beyond_chance(self) -> float:
        """The onset recall on a scale on which chance is 0 and all is 1; never below 0."""
        return _beyond(self.onset_chance, self.onsets)


def recall_of(audio: Audio, notes: Sequence[TimedNote]) -> Recall:
    """Return how much of the notes, of which there is at least one, can be heard in a sound."""
    features = features_of(audio)
    heard, written = onset_times(features), _distinct(np.array(sorted(note.start for note in notes)))
    onsets = _share_found(heard, written, TOLERANCE_SECONDS)
    chance = _chance(heard, audio.duration, TOLERANCE_SECONDS)
    lag = _lag(heard, written, _chance(heard, audio.duration, LAG_STEP))
    return Recall(_pitch_class_recall(features, notes), onsets, chance, lag)


def _beyond(chance: float, share: float) -> float:
    return max(0.0, (share - chance) / max(LEAST_POSSIBLE, 1 - chance))


def _chance(heard: Floats, duration: float, tolerance: float) -> float:
    """Return the share of a sound's length that lies within the tolerance of an onset, both in seconds."""
    gaps = np.diff(np.concatenate([[-tolerance], heard, [duration + tolerance]]))
    return float(1 - np.maximum(0, gaps - 2 * tolerance).sum() / duration) if len(heard) else 0.0


def _share_found(heard: Floats, written: Floats, tolerance: float) -> float:
    """Return the share of the written onsets that have a heard one within the tolerance, in seconds."""
    if not len(heard):
        return 0.0
    index = np.searchsorted(heard, written)
    before, after = heard[np.maximum(index - 1, 0)], heard[np.minimum(index, len(heard) - 1)]
    distance = np.minimum(np.abs(before - written), np.abs(after - written))
    return float(np.mean(distance <= tolerance + ROUNDING))


def _lag(heard: Floats, written: Floats, chance: float) -> float:
    """Return the shift of all onsets with which most are found, the smallest of several; 0 where that may be chance."""
    steps = round(LONGEST_LAG / LAG_STEP)
    lags = sorted((step * LAG_STEP for step in range(-steps, steps + 1)), key=lambda lag: (abs(lag), lag))
    found = {lag: _share_found(heard, written + lag, LAG_STEP) for lag in lags}
    best = max(lags, key=lambda lag: found[lag])
    return best if _beyond(chance, found[best]) >= LEAST_FOUND else 0.0


def _distinct(starts: Floats) -> Floats:
    """Return the first of every group of starts that are one onset."""
    kept = [float(starts[0])]
    for start in starts[1:]:
        if start - kept[-1] > CHORD_SECONDS:
            kept.append(float(start))
    return np.array(kept)


def _pitch_class_recall(features: Features, notes: Sequence[TimedNote]) -> float:
    """Return the share of the notes whose pitch class stands out; notes of one class that begin together are one."""
    chroma = features.chroma.astype(np.float64)
    times = np.arange(len(chroma)) * SLOW_HOP / RATE
    threshold = STANDS_OUT * _level_of_nobody(chroma, _silent_classes(times, notes))
    stands_out = chroma > threshold[:, None]
    ends: dict[tuple[int, int], float] = {}
    for note in notes:
        key = round(note.start * GRID_RATE), note.pitch % 12
        ends[key] = max(note.end, ends.get(key, 0.0))
    heard = []
    for (start, pitch_class), end in ends.items():
        first, last = start / GRID_RATE - TOLERANCE_SECONDS, max(end, start / GRID_RATE + SHORTEST_SECONDS)
        begin, stop = (int(index) for index in np.searchsorted(times, (first, last)))
        while_it_sounds = stands_out[begin : max(begin + 1, stop), pitch_class]
        heard.append(while_it_sounds.mean() >= LEAST_SHARE if len(while_it_sounds) else False)
    return float(np.mean(heard))


def _silent_classes(times: Floats, notes: Sequence[TimedNote]) -> Flags:
    """Return which pitch classes nobody plays in each frame, nor has played just before: (frames, 12)."""
    size = round(times[-1] * GRID_RATE) + 2
    played = np.zeros((size, 12), np.int64)
    for note in notes:
        begin = min(size - 1, max(0, round(note.start * GRID_RATE)))
        played[begin : max(begin + 1, round(note.end * GRID_RATE)), note.pitch % 12] = 1
    total = np.concatenate([np.zeros((1, 12), np.int64), np.cumsum(played, axis=0)])
    reach = SLOW_FRAME / RATE / 2
    begin = np.clip(np.round((times - reach - RINGING_SECONDS) * GRID_RATE).astype(int), 0, size)
    stop = np.clip(np.round((times + reach) * GRID_RATE).astype(int), 0, size)
    return np.asarray(total[stop] == total[begin], np.bool_)


def _level_of_nobody(chroma: Floats, silent: Flags) -> Floats:
    """Return the usual chroma of the silent classes of each frame: (frames,)."""
    levels: Floats = np.sort(chroma, axis=1)[:, : FEWEST_CLASSES + 1].mean(axis=1)
    for frame in np.flatnonzero(silent.sum(axis=1) >= FEWEST_CLASSES):
        levels[frame] = np.median(chroma[frame, silent[frame]])
    return levels
