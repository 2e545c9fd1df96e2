"""How alike a piece is to itself a beat, half a bar and four bars later: the form that people hear."""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np

from judges.chroma import chroma
from judges.excerpt import HALF_RATE, Excerpt, Matrix

FRAME, HOP, BANDS = 1024, 256, 40
CHROMA_FRAME, CHROMA_HOP = 8192, 2048
TOLERANCE = 0.015  # of the lag: players are not machines, and tempo estimates are not exact
FEWEST_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Repetition:
    """Correlations, −1 to 1, of a piece with itself at musical lags; None where the piece is shorter than the lag.

    ``mel`` is the timbre of each moment, ``chroma`` its pitch classes, ``onsets`` what starts in each band.
    """

    mel_beat: float | None
    chroma_half_bar: float | None
    mel_4_bars: float | None
    chroma_4_bars: float | None
    onsets_4_bars: float | None


def repetition(excerpt: Excerpt, beat_seconds: float, bar_seconds: float) -> Repetition:
    """Measure how a piece with this beat and bar repeats itself."""
    sound = excerpt.half_rate
    mel = librosa.feature.melspectrogram(y=sound, sr=HALF_RATE, n_fft=FRAME, hop_length=HOP, n_mels=BANDS)
    levels = librosa.power_to_db(mel + 1e-7)
    onsets = np.maximum(0, np.diff(levels, axis=1))
    pitch_classes = chroma(sound, CHROMA_FRAME, CHROMA_HOP)
    frames, chroma_frames = HALF_RATE / HOP, HALF_RATE / CHROMA_HOP
    return Repetition(
        mel_beat=correlation(levels, beat_seconds * frames),
        chroma_half_bar=correlation(pitch_classes, bar_seconds / 2 * chroma_frames),
        mel_4_bars=correlation(levels, 4 * bar_seconds * frames),
        chroma_4_bars=correlation(pitch_classes, 4 * bar_seconds * chroma_frames),
        onsets_4_bars=correlation(onsets, 4 * bar_seconds * frames),
    )


def correlation(rows: Matrix, lag: float) -> float | None:
    """Return the best correlation of ``rows``, (rows, frames), with themselves about ``lag`` frames later."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    best = None
    for shift in range(int(lag * (1 - TOLERANCE)), int(lag * (1 + TOLERANCE)) + 2):
        if 1 <= shift < rows.shape[1] - FEWEST_FRAMES:
            early, late = centred[:, :-shift], centred[:, shift:]
            norm = np.sqrt(np.vdot(early, early) * np.vdot(late, late))
            found = float(np.vdot(early, late) / max(norm, 1e-30))
            best = found if best is None else max(best, found)
    return best
