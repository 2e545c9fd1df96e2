"""True peak by ITU-R BS.1770-4, annex 2: the highest point of the waveform, also between samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.single_thread_matmul import single_thread_matmul
from tunesmith.audio.spool import Samples

OVERSAMPLING = 4
# Taps per phase; BS.1770-4, annex 2, requires at least 12.
TAPS = 24
# The number of samples whose interpolated points one row of a matrix product computes.
ROW = 32

Doubles = npt.NDArray[np.float64]


def sinc_filters(taps: int, window: Callable[[Doubles], Doubles]) -> Doubles:
    """Return the polyphase interpolation filters, (OVERSAMPLING − 1, taps), for the points between two samples.

    Each is a sinc times ``window`` of the distances in samples, with a sum of 1; ``taps`` must be even.
    """
    phases = np.arange(1, OVERSAMPLING) / OVERSAMPLING
    distances = np.arange(taps) - (taps // 2 - 1) - phases[:, None]
    filters = np.sinc(distances) * window(distances)
    # Normalised, so that a constant signal has exactly its own peak.
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), dtype=np.float64)


def interpolation_matrix(filters: Doubles, row: int) -> Samples:
    """Return the matrix from samples to the points between them, (row + taps − 1, phases × row)."""
    phases, taps = filters.shape
    matrix = np.zeros((row + taps - 1, phases, row), np.float32)
    for at in range(row):
        matrix[at : at + taps, :, at] = filters.T
    return matrix.reshape(row + taps - 1, phases * row)


@cache
def _filters() -> Doubles:
    """Return the meter's filters, (phases, TAPS): a sinc with a Kaiser window."""
    return sinc_filters(TAPS, _kaiser)


def _kaiser(distances: Doubles) -> Doubles:
    """Return the Kaiser window at these distances in samples."""
    # Beta 6 keeps the images of the spectrum some 60 dB down.
    window = np.i0(6.0 * np.sqrt(np.maximum(0, 1 - (distances / (TAPS / 2)) ** 2))) / np.i0(6.0)
    return np.asarray(window, dtype=np.float64)


@cache
def _row_matrix() -> Samples:
    return interpolation_matrix(_filters(), ROW)


def highest_between(channel: Samples) -> float:
    """Return the linear peak between the samples of one channel, (n,); 0 if it is shorter than the filter."""
    count = max(0, channel.size - TAPS + 1)
    padded = np.concatenate([channel, np.zeros(-count % ROW, np.float32)])
    if not count:
        return 0.0
    # One matrix product over overlapping rows replaces a convolution for each phase.
    rows = np.lib.stride_tricks.sliding_window_view(padded, ROW + TAPS - 1)[::ROW]
    between = np.abs(single_thread_matmul(rows, _row_matrix())).reshape(len(rows), -1, ROW)
    rest = count - (len(rows) - 1) * ROW
    return max(float(between[:-1].max(initial=0.0)), float(between[-1, :, :rest].max()))


class TruePeakMeter:
    """A streaming true-peak meter with fourfold oversampling, BS.1770-4 annex 2."""

    def __init__(self, channels: int) -> None:
        self._filters = _filters()
        self._reach = float(np.abs(self._filters).sum(axis=1).max())
        self._rest = np.zeros((channels, TAPS - 1), dtype=np.float32)
        self._peak = 0.0

    def add(self, block: Samples) -> None:
        """Measure the next block, (channels, n)."""
        joined = np.concatenate([self._rest, block], axis=1)
        self._rest = joined[:, -(TAPS - 1) :]
        if not block.shape[1]:
            return
        highest = np.abs(joined).max(axis=1)
        self._peak = max(self._peak, float(highest.max()))
        for channel, sample_peak in zip(joined, highest, strict=True):
            # Interpolation gains at most the sum of the filter's magnitudes: most blocks cannot hold a new peak.
            if sample_peak * self._reach > self._peak:
                self._peak = max(self._peak, highest_between(channel))

    def peak(self) -> float:
        """Return the linear true peak so far; full scale is 1."""
        filters, self_rest = self._filters, self._rest
        # After the last sample the waveform still rings for the length of the filter.
        tail = np.concatenate([self_rest, np.zeros((self_rest.shape[0], TAPS - 1), np.float32)], axis=1)
        ends = [float(np.abs(np.correlate(row, taps, mode="valid")).max()) for row in tail for taps in filters]
        return max(self._peak, *ends)

    def dbtp(self) -> float:
        """Return the true peak so far in dBTP; −inf for silence."""
        peak = self.peak()
        return 20 * math.log10(peak) if peak > 0 else -math.inf


def true_peak_of(audio: Audio) -> float:
    """Return the true peak in dBTP."""
    meter = TruePeakMeter(audio.channels)
    for block in audio.blocks():
        meter.add(block)
    return meter.dbtp()
