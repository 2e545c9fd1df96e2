"""Loudness after ITU-R BS.1770-4 and EBU R 128, and true peak, measured block by block in bounded memory."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.single_thread_matmul import single_thread_matmul
from tunesmith.audio.speakers import weights
from tunesmith.audio.spool import Samples

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
OVERSAMPLING = 4
TAPS = 24  # a phase; BS.1770 Annex 2 asks for at least 12
DESIGN_RATE = 48_000
LOWEST_WARPED_RATE = 8_000  # below, the shelf's frequency is too near to half the rate, or above it
SHELF_TAPS = 65
ROW = 32  # samples whose points between are computed by one row of a product of matrices

Doubles = npt.NDArray[np.float64]


def k_weighting(sample_rate: int) -> Doubles:
    """Return the K filter's two sections (2, 6): the head's shelf, then the high-pass, for any sample rate.

    The analogue prototypes are those that give the 48 kHz coefficients printed in BS.1770-4, tables 1 and 2.
    """
    k, q = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0]
    shelf += [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def shelf_taps(sample_rate: int) -> Doubles:
    """Return a symmetric filter that is as loud as the head's shelf at 48 kHz, for rates too low for its frequency."""
    from scipy.signal import firwin2, sosfreqz

    frequencies = np.linspace(0, sample_rate / 2, 513)
    _, shelf = sosfreqz(k_weighting(DESIGN_RATE)[:1], frequencies, fs=DESIGN_RATE)
    return np.asarray(firwin2(SHELF_TAPS, frequencies, np.abs(shelf), fs=sample_rate), dtype=np.float64)


def _scaled_high_pass(sample_rate: int) -> Doubles:
    """Return the high-pass as loud as at 48 kHz: its printed form is louder the lower the rate is."""
    _, section = k_weighting(sample_rate)
    _, design = k_weighting(DESIGN_RATE)
    signs = np.array([1.0, -1.0, 1.0])  # a filter's answer at half the sample rate
    gain = (section[:3] @ signs / (section[3:] @ signs)) / (design[:3] @ signs / (design[3:] @ signs))
    return np.array([[*section[:3] / gain, *section[3:]]])


class KFilter:
    """The K filter for sound that comes in (channels, n) blocks, at every rate from 1 kHz on."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        is_low = sample_rate < LOWEST_WARPED_RATE
        self._taps = shelf_taps(sample_rate) if is_low else None
        self._sections = _scaled_high_pass(sample_rate) if is_low else k_weighting(sample_rate)
        self._state = np.zeros((len(self._sections), channels, 2))
        self._shelf_state = np.zeros((channels, SHELF_TAPS - 1))

    def weighted(self, block: Samples) -> Doubles:
        """Filter the next block."""
        from scipy.signal import lfilter, sosfilt

        sound: Doubles | Samples = block
        if self._taps is not None:
            sound, self._shelf_state = lfilter(self._taps, 1.0, block, axis=1, zi=self._shelf_state)
        weighted, self._state = sosfilt(self._sections, sound, axis=1, zi=self._state)
        return np.asarray(weighted, dtype=np.float64)


class LoudnessMeter:
    """Integrated loudness of sound that comes in (channels, n) blocks; keeps one number for every 100 ms.

    ``channel_mask`` says which speakers the channels are for, as :mod:`tunesmith.audio.speakers` has it.
    """

    def __init__(self, sample_rate: int, channels: int, channel_mask: int | None = None) -> None:
        self._hop = round(sample_rate / 10)
        self._filter = KFilter(sample_rate, channels)
        self._weights = np.array(weights(channels, channel_mask))
        self._rest = np.zeros(0)
        self._energies: list[float] = []

    def add(self, block: Samples) -> None:
        """Measure the next block."""
        weighted = self._filter.weighted(block)
        if (self._weights != 1).any():
            weighted *= np.sqrt(self._weights)[:, None]
        power = np.concatenate([self._rest, np.einsum("cn,cn->n", weighted, weighted)])
        whole = power.size // self._hop * self._hop
        self._energies += power[:whole].reshape(-1, self._hop).mean(axis=1).tolist()
        self._rest = power[whole:]

    def integrated(self) -> float:
        """Return LUFS of all so far; −inf for silence. Below 400 ms there is nothing to gate: the plain mean counts."""
        energies = np.array(self._energies)
        if energies.size < 4:
            total = energies.sum() * self._hop + self._rest.sum()
            return _lufs(total / max(1, energies.size * self._hop + self._rest.size))
        gated = np.convolve(energies, np.full(4, 0.25), mode="valid")  # 400 ms windows, 75 % overlap
        gated = gated[gated > _energy(ABSOLUTE_GATE_LUFS)]
        if gated.size:
            gated = gated[gated > gated.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
        return _lufs(float(gated.mean())) if gated.size else -math.inf


def _lufs(energy: float) -> float:
    return -0.691 + 10 * math.log10(energy) if energy > 0 else -math.inf


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _interpolator() -> Doubles:
    """Return the (phases − 1, taps) filters that compute the points between samples: a Kaiser-windowed sinc."""
    phases = np.arange(1, OVERSAMPLING) / OVERSAMPLING
    at = np.arange(TAPS) - (TAPS // 2 - 1) - phases[:, None]
    window = np.i0(6.0 * np.sqrt(np.maximum(0, 1 - (at / (TAPS / 2)) ** 2))) / np.i0(6.0)
    filters = np.sinc(at) * window
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), dtype=np.float64)


@cache
def _row_matrix() -> Samples:
    """Return what makes of ROW + TAPS − 1 samples in a row the points between, (ROW + TAPS − 1, phases × ROW)."""
    filters = _interpolator()
    matrix = np.zeros((ROW + TAPS - 1, len(filters) * ROW), np.float32)
    for phase, taps in enumerate(filters):
        for at in range(ROW):
            matrix[at : at + TAPS, phase * ROW + at] = taps
    return matrix


def highest_between(channel: Samples) -> float:
    """Return the highest point between the samples of one channel that have all of their neighbours; 0 for none."""
    count = max(0, channel.size - TAPS + 1)
    padded = np.concatenate([channel, np.zeros(-count % ROW, np.float32)])
    if not count:
        return 0.0
    rows = np.lib.stride_tricks.sliding_window_view(padded, ROW + TAPS - 1)[::ROW]
    between = np.abs(single_thread_matmul(rows, _row_matrix())).reshape(len(rows), -1, ROW)
    rest = count - (len(rows) - 1) * ROW
    return max(float(between[:-1].max(initial=0.0)), float(between[-1, :, :rest].max()))


class TruePeakMeter:
    """Highest point of the waveform between the samples too: four times oversampled, BS.1770-4 Annex 2."""

    def __init__(self, channels: int) -> None:
        self._filters = _interpolator()
        self._reach = float(np.abs(self._filters).sum(axis=1).max())
        self._rest = np.zeros((channels, TAPS - 1), dtype=np.float32)
        self._peak = 0.0

    def add(self, block: Samples) -> None:
        """Measure the next block."""
        joined = np.concatenate([self._rest, block], axis=1)
        self._rest = joined[:, -(TAPS - 1) :]
        if not block.shape[1]:
            return
        highest = np.abs(joined).max(axis=1)
        self._peak = max(self._peak, float(highest.max()))
        for channel, sample_peak in zip(joined, highest, strict=True):
            if sample_peak * self._reach > self._peak:  # else nothing between its samples can be a new peak
                self._peak = max(self._peak, highest_between(channel))

    def peak(self) -> float:
        """Return the true peak so far, linear; full scale is 1."""
        filters, self_rest = self._filters, self._rest
        tail = np.concatenate([self_rest, np.zeros((self_rest.shape[0], TAPS - 1), np.float32)], axis=1)
        ends = [float(np.abs(np.correlate(row, taps, mode="valid")).max()) for row in tail for taps in filters]
        return max(self._peak, *ends)

    def dbtp(self) -> float:
        """Return the true peak so far in dBTP; −inf for silence."""
        peak = self.peak()
        return 20 * math.log10(peak) if peak > 0 else -math.inf


def loudness_of(audio: Audio) -> float:
    """Return the integrated loudness in LUFS."""
    meter = LoudnessMeter(audio.sample_rate, audio.channels, audio.encoding.channel_mask)
    for block in audio.blocks():
        meter.add(block)
    return meter.integrated()


def true_peak_of(audio: Audio) -> float:
    """Return the true peak in dBTP."""
    meter = TruePeakMeter(audio.channels)
    for block in audio.blocks():
        meter.add(block)
    return meter.dbtp()
