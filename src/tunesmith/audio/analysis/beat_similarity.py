"""BeatSimilarity: how noticeable a jump from one beat of a sound to another is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tunesmith.audio.analysis.features import HOP, RATE, SLOW_HOP, Features, Floats

BEFORE, AFTER = 2, 4


class BeatSimilarity:
    """The similarity of the beats of a sound, 0 to 1, by chroma, spectrum and onsets, including neighbouring beats."""

    def __init__(self, features: Features, beats: tuple[float, ...]) -> None:
        # The last beat has no next one to end it, so assume the mean period.
        edges = np.round(
            np.array([*beats, beats[-1] + (beats[-1] - beats[0]) / max(1, len(beats) - 1)]) * RATE / SLOW_HOP
        )
        frames = np.clip(edges.astype(int), 0, len(features.chroma) - 1)
        chroma = _by_beat(features.chroma, frames)
        bands = _by_beat(features.bands, frames)
        # Standardise each band, so that bands count by their variation, not by their level.
        bands = (bands - bands.mean(axis=0)) / (bands.std(axis=0) + 1e-3)
        onsets = _at_beats(features.onsets, beats)
        self._harmony = chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9)
        self._spectrum = bands
        self._onsets = onsets / (onsets.max() or 1)
        self._count = len(beats)

    def jump(self, leaving: int, arriving: int) -> float:
        """Return how natural it sounds, 0 to 1, if beat ``arriving`` plays in place of beat ``leaving``."""
        offsets = [step for step in range(-BEFORE, AFTER) if self._has(leaving + step) and self._has(arriving + step)]
        if not offsets:
            return 0.0
        a, b = np.array(offsets) + leaving, np.array(offsets) + arriving
        harmony = (self._harmony[a] * self._harmony[b]).sum(axis=1).mean()
        spectrum = np.exp(-np.sqrt(((self._spectrum[a] - self._spectrum[b]) ** 2).mean(axis=1)).mean())
        onsets = 1 - np.abs(self._onsets[a] - self._onsets[b]).mean()
        # Near the ends of the sound there are fewer beats to compare, and so less certainty.
        complete = len(offsets) / (BEFORE + AFTER)
        return float(harmony * (0.4 + 0.6 * spectrum) * onsets * (0.7 + 0.3 * complete))

    def _has(self, beat: int) -> bool:
        return 0 <= beat < self._count


def _by_beat(values: Floats, frames: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    pairs = pairwise(frames)
    return np.stack([values[first : max(first + 1, last)].mean(axis=0) for first, last in pairs])


def _at_beats(onsets: Floats, beats: tuple[float, ...]) -> Floats:
    frames = np.round(np.array(beats) * RATE / HOP).astype(int)
    near = np.clip(frames[:, None] + np.arange(-3, 4), 0, onsets.size - 1)
    return np.asarray(onsets[near].max(axis=1), np.float32)
