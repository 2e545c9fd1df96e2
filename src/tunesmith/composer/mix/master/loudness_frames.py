"""The master's measurements, one value every 64 samples: K-weighted power and true peak.

At 16 bytes per frame, half an hour takes less than 10 MB, so dynamics can be decided for the whole piece before any are
applied.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.audio.k_weighting import gated_lufs, k_weighting
from tunesmith.audio.recursive_filters import sosfilt_on
from tunesmith.audio.single_thread_matmul import single_thread_matmul
from tunesmith.audio.true_peak import interpolation_matrix, sinc_filters
from tunesmith.composer.mix.control_rate import CONTROL, Curve

REACH = 8
"""Samples on either side from which a point between two samples is interpolated."""

CHUNK = 1024
# Gating blocks of BS.1770-4, which overlap by 75 %.
BLOCK_SECONDS, STEP_SECONDS = 0.4, 0.1
SILENCE_LUFS = -120.0
EMPTY: Curve = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Frames:
    """Measurements per frame: ``power`` is the K-weighted mean square summed over channels, ``peak`` the true peak."""

    power: Curve
    peak: Curve
    sample_rate: int
    samples: int


@functools.cache
def interpolator() -> npt.NDArray[np.float32]:
    """Return the matrix from a frame and its surroundings to the three points between every two samples.

    (CONTROL + 2 REACH, 3 CONTROL): 4× oversampling by a windowed sinc, as in BS.1770-4 annex 2.
    """
    # The window is not the meter's of audio/: with another every master would have other bytes.
    filters = sinc_filters(2 * REACH, lambda distances: np.cos(np.pi / 2 * distances / (REACH + 1)) ** 2)
    return np.pad(interpolation_matrix(filters, CONTROL), ((1, 0), (0, 0)))


class FrameMeter:
    """A meter for successive blocks; ``warm_up`` settles the filter first, for a loop."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._sections = k_weighting(sample_rate)
        self._state = np.zeros((2, channels, 2))
        self._line: Samples = np.zeros((channels, REACH), np.float32)
        self._weighted: Samples = np.zeros((channels, 0), np.float32)
        self._powers: list[Curve] = []
        self._peaks: list[Curve] = []
        self._samples = 0

    def warm_up(self, block: Samples) -> None:
        """Run ``block``, (channels, n) before the piece, through the filter without measuring it."""
        _, self._state = sosfilt_on(self._sections, block, self._state)
        if block.shape[1] >= REACH:
            self._line = block[:, -REACH:].copy()

    def add(self, block: Samples) -> None:
        """Measure the next samples, (channels, n)."""
        self._samples += block.shape[1]
        weighted, self._state = sosfilt_on(self._sections, block, self._state)
        self._weighted = self._take_powers(np.concatenate((self._weighted, weighted), axis=1, dtype=np.float32))
        self._line = self._take_peaks(np.concatenate((self._line, block), axis=1))

    def so_far(self) -> tuple[Curve, Curve]:
        """Return power and peak of the frames that are complete, and whose surroundings are known."""
        if len(self._powers) > 1:
            self._powers = [np.concatenate(self._powers)]
            self._peaks = [np.concatenate(self._peaks)]
        known = min(len(self._powers[0]), len(self._peaks[0])) if self._powers else 0
        return (self._powers[0][:known], self._peaks[0][:known]) if known else (EMPTY, EMPTY)

    def frames(self) -> Frames:
        """Return all measurements; the last frame may be incomplete."""
        whole = -(-self._samples // CONTROL)
        missing = whole * CONTROL - self._samples
        self._take_powers(_padded(self._weighted, missing))
        self._take_peaks(_padded(self._line, missing + REACH))
        power, peak = np.concatenate(self._powers), np.concatenate(self._peaks)
        assert len(power) == len(peak) == whole
        return Frames(power, peak, self._sample_rate, self._samples)

    def _take_powers(self, weighted: Samples) -> Samples:
        count = weighted.shape[1] // CONTROL
        framed = weighted[:, : count * CONTROL].reshape(len(weighted), count, CONTROL)
        self._powers.append(np.einsum("cfs,cfs->f", framed, framed) / np.float32(CONTROL))
        return weighted[:, count * CONTROL :]

    def _take_peaks(self, line: Samples) -> Samples:
        # A frame is measured once the REACH samples after it have arrived.
        count = max(0, (line.shape[1] - 2 * REACH) // CONTROL)
        peaks = np.zeros(count, np.float32)
        for channel in line if count else ():
            # A strided view: the overlapping windows are never copied.
            windows = np.lib.stride_tricks.sliding_window_view(channel, CONTROL + 2 * REACH)[::CONTROL][:count]
            np.maximum(peaks, true_peaks(windows), out=peaks)
        self._peaks.append(peaks)
        return line[:, count * CONTROL :]


def _padded(block: Samples, samples: int) -> Samples:
    return np.pad(block, ((0, 0), (0, samples)))


def true_peaks(windows: Samples) -> Curve:
    """Return the true peak of each frame: (frames, CONTROL + 2 REACH) -> (frames,)."""
    own = windows[:, REACH:-REACH]
    peaks = np.maximum(own.max(axis=1), -own.min(axis=1))
    # In chunks, so that the oversampled points fit in the cache.
    for start in range(0, len(windows), CHUNK):
        # On one thread, because how BLAS splits a product between threads changes its last bits.
        between = single_thread_matmul(windows[start : start + CHUNK], interpolator())
        chunk = peaks[start : start + CHUNK]
        np.maximum(chunk, between.max(axis=1), out=chunk)
        np.maximum(chunk, -between.min(axis=1), out=chunk)
    return np.asarray(peaks, np.float32)


def gated_loudness(power: Curve, sample_rate: int, samples: int) -> float:
    """Return integrated loudness in LUFS of K-weighted ``power`` (summed over channels, one value a control frame).

    Only whole blocks of 0.4 s count, as the standard says. SILENCE_LUFS for silence.
    """
    total = np.concatenate(([0.0], np.cumsum(power, dtype=np.float64)))
    seconds = samples / sample_rate
    count = max(1, int(round((seconds - BLOCK_SECONDS) / STEP_SECONDS, 6)) + 1)
    starts = np.arange(count) * STEP_SECONDS * sample_rate / CONTROL
    length = min(BLOCK_SECONDS, seconds) * sample_rate / CONTROL
    frames = np.arange(len(total))
    blocks = (np.interp(starts + length, frames, total) - np.interp(starts, frames, total)) / length
    return max(SILENCE_LUFS, gated_lufs(blocks))
