"""Features: onsets, chroma and mel bands over time, measured block by block in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.resample import resample_blocks
from tunesmith.audio.single_thread_matmul import single_thread_matmul
from tunesmith.audio.spool import Samples

# Half of 44.1 kHz: nothing above 11 kHz is needed for beats and keys.
RATE = 22_050
# 12 and 46 ms: short, to place onsets.
HOP, FRAME = 256, 1024
# 93 and 372 ms: long, so that bins are 2.7 Hz wide.
SLOW_HOP, SLOW_FRAME = 2048, 8192
NUM_BANDS, LOW_BANDS = 40, 6
COMPRESSION = 1000.0
# From A1 up: below, a semitone is hardly wider than a bin.
MIDDLE_C_HZ, LOWEST_HZ, HIGHEST_HZ = 261.6256, 55.0, 5000.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """Features over time at a sample rate of RATE; frame k is centred on sample k × hop.

    ``onsets`` and ``low_onsets`` (lowest bands only) are onset strengths, (frames,), every HOP samples; ``chroma``,
    (frames, 12) from C up, and ``bands``, (frames, NUM_BANDS), logarithmic, come every SLOW_HOP samples. ``spectrum``,
    (bins,), sums the spectral peaks of the whole sound, for the key.
    """

    onsets: Floats
    low_onsets: Floats
    chroma: Floats
    bands: Floats
    spectrum: Floats


class FrameSplitter:
    """A stream splitter into overlapping frames, the first centred on the first sample."""

    def __init__(self, size: int, hop: int) -> None:
        self._size = size
        self._hop = hop
        self._rest = np.zeros(size // 2, np.float32)

    def feed(self, samples: Floats) -> Floats:
        """Return the frames that are now complete, (frames, size)."""
        stream = np.concatenate([self._rest, samples])
        count = max(0, (stream.size - self._size) // self._hop + 1)
        self._rest = stream[count * self._hop :]
        if count == 0:
            return np.zeros((0, self._size), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(stream, self._size)
        return windows[: count * self._hop : self._hop]

    def rest(self) -> Floats:
        """Return the last frames, padded with silence."""
        return self.feed(np.zeros(self._size // 2, np.float32))


def features_of(audio: Audio) -> Features:
    """Return the features of a sound, mixed to mono and resampled to RATE."""
    fast, slow = FrameSplitter(FRAME, HOP), FrameSplitter(SLOW_FRAME, SLOW_HOP)
    quick: list[Floats] = []
    chroma: list[Floats] = []
    bands: list[Floats] = []
    spectrum = np.zeros(SLOW_FRAME // 2 + 1, np.float64)
    for block in _mono(audio):
        quick.append(_bands(fast.rest() if block is None else fast.feed(block), FRAME))
        frames = slow.rest() if block is None else slow.feed(block)
        magnitudes = _magnitudes(frames, SLOW_FRAME)
        peaks = _peaks(magnitudes)
        # The root keeps loud tones from drowning soft ones.
        spectrum += np.sqrt(peaks).sum(axis=0)
        chroma.append(single_thread_matmul(np.sqrt(peaks), _chroma_matrix()))
        bands.append(_compressed(magnitudes, SLOW_FRAME))
    # Spectral flux: only rises count, since a decay is no onset.
    rises = np.maximum(np.diff(np.concatenate(quick), axis=0, prepend=np.zeros((1, NUM_BANDS), np.float32)), 0)
    return Features(
        onsets=np.asarray(rises.mean(axis=1), np.float32),
        low_onsets=np.asarray(rises[:, :LOW_BANDS].mean(axis=1), np.float32),
        chroma=np.concatenate(chroma),
        bands=np.concatenate(bands),
        spectrum=spectrum.astype(np.float32),
    )


def _mono(audio: Audio) -> Iterator[Floats | None]:
    """Yield the mono mix at RATE in blocks, then None."""
    mixed: Iterator[Samples] = (block.mean(axis=0, keepdims=True, dtype=np.float32) for block in audio.blocks())
    for block in resample_blocks(mixed, 1, audio.sample_rate, RATE):
        yield block[0]
    yield None


def _magnitudes(frames: Floats, size: int) -> Floats:
    window = np.hanning(size).astype(np.float32)
    # Scaled so that a full-scale sine gives 1: the Hann window and the one-sided FFT each halve it.
    return np.abs(np.fft.rfft(frames * window, axis=1)).astype(np.float32) / (size / 4)


def _bands(frames: Floats, size: int) -> Floats:
    return _compressed(_magnitudes(frames, size), size)


def _compressed(magnitudes: Floats, size: int) -> Floats:
    # Hearing is about logarithmic in level; log1p keeps silence at 0.
    compressed: Floats = np.log1p(COMPRESSION * single_thread_matmul(magnitudes, _band_matrix(size)))
    return compressed


def _peaks(magnitudes: Floats) -> Floats:
    """Return only the spectral peaks: tones have them, drums and noise hardly do."""
    peaks = np.zeros_like(magnitudes)
    middle = magnitudes[:, 1:-1]
    stands_out = (middle > magnitudes[:, :-2]) & (middle >= magnitudes[:, 2:])
    peaks[:, 1:-1] = np.where(stands_out, middle, 0)
    return peaks


@cache
def _band_matrix(size: int) -> Floats:
    """Return a triangular mel filter bank, (bins, NUM_BANDS)."""
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    # The mel scale: 2595 log10(1 + f / 700).
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), NUM_BANDS + 2) / 2595) - 1)
    # No band may be narrower than an FFT bin, or it would be empty.
    edges = np.maximum(edges, np.arange(NUM_BANDS + 2) * RATE / size)
    up = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(up, down)).astype(np.float32)


@cache
def _chroma_matrix() -> Floats:
    """Return the matrix from the bins of a slow frame to pitch classes, (bins, 12)."""
    frequencies = np.fft.rfftfreq(SLOW_FRAME, 1 / RATE)
    matrix = np.zeros((frequencies.size, 12), np.float32)
    audible = (frequencies >= LOWEST_HZ) & (frequencies <= HIGHEST_HZ)
    pitches = np.round(12 * np.log2(frequencies[audible] / MIDDLE_C_HZ)).astype(int) % 12
    matrix[np.flatnonzero(audible), pitches] = 1
    return matrix
