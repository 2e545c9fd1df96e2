"""How strongly each pitch class sounds over time.

librosa estimates the tuning with functions that numba compiles and keeps on disk; two processes that compile at once
leave files there that crash the next. The estimate here is the same, written for NumPy.
"""

from __future__ import annotations

import librosa
import numpy as np

from judges.excerpt import HALF_RATE, Floats, Matrix

LOWEST_HZ, HIGHEST_HZ = 150.0, 4000.0
PEAK_SHARE = 0.1  # of a frame's strongest bin
BINS_PER_OCTAVE, STEPS = 12, 100


def chroma(sound: Matrix, frame: int, hop: int) -> Matrix:
    """Return the chroma of a sound at HALF_RATE, (12, frames), each frame's greatest value 1."""
    power = np.abs(librosa.stft(sound, n_fft=frame, hop_length=hop)) ** 2
    rows = librosa.feature.chroma_stft(S=power, sr=HALF_RATE, n_fft=frame, hop_length=hop, tuning=tuning(power, frame))
    return np.asarray(rows, dtype=np.float32)


def tuning(power: Matrix, frame: int) -> float:
    """Return by what part of a semitone, −0.5 to 0.5, most of the stronger partials are off 440 Hz."""
    pitches, strengths = partials(power, frame)
    if not pitches.size:
        return 0.0
    strong = pitches[strengths >= np.median(strengths)]
    off = np.mod(BINS_PER_OCTAVE * np.log2(strong / 440), 1.0)
    off[off >= 0.5] -= 1
    counts, edges = np.histogram(off, np.linspace(-0.5, 0.5, STEPS + 1))
    return float(edges[np.argmax(counts)])


def partials(power: Matrix, frame: int) -> tuple[Floats, Floats]:
    """Return the frequencies in Hz and the strengths of a spectrum's peaks, interpolated by parabolas (Smith 2011)."""
    rise, bend = np.zeros_like(power), np.zeros_like(power)
    rise[1:-1] = (power[2:] - power[:-2]) / 2
    bend[1:-1] = power[2:] + power[:-2] - 2 * power[1:-1]
    sharp = np.abs(rise) < np.abs(bend)
    shift = np.where(sharp, -rise / np.where(sharp, bend, 1), 0)
    loud = np.where(power > PEAK_SHARE * power.max(axis=0), power, 0)
    peak = np.zeros(power.shape, dtype=bool)
    peak[1:-1] = (loud[1:-1] > loud[:-2]) & (loud[1:-1] >= loud[2:])
    frequencies = librosa.fft_frequencies(sr=HALF_RATE, n_fft=frame)
    peak &= ((frequencies >= LOWEST_HZ) & (frequencies < HIGHEST_HZ))[:, None]
    bins = np.nonzero(peak)[0]
    return (bins + shift[peak]) * HALF_RATE / frame, (power + np.gradient(power, axis=0) * shift / 2)[peak]
