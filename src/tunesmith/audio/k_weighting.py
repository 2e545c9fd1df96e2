"""K-weighting and gating of ITU-R BS.1770-4: the filter that models head and ear, and the gates of the loudness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.recursive_filters import sosfilt_on
from tunesmith.audio.spool import Samples

# It takes back what the K filter adds at 1 kHz (BS.1770-4).
OFFSET_LUFS = -0.691
# The two gates of BS.1770-4.
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
# The rate for which BS.1770-4 prints its coefficients.
DESIGN_RATE = 48_000
# Below, the shelf's frequency is too near to the Nyquist frequency, or above it.
LOWEST_WARPED_RATE = 8_000
SHELF_TAPS = 65

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shelf:
    """An analogue high shelf: its corner frequency in Hz, its gain above it in dB, and its Q."""

    hertz: float
    gain_db: float
    quality: float


HEAD = Shelf(1681.974450955533, 3.999843853973347, 0.7071752369554196)
"""The head's shelf that gives the 48 kHz coefficients of BS.1770-4, table 1 (B. De Man, 2014)."""


def k_weighting(sample_rate: int, head: Shelf = HEAD) -> Doubles:
    """Return the K filter as two biquads, (2, 6), for a sample rate in Hz: the head's shelf, then the high-pass.

    The analogue prototypes are those that give the 48 kHz coefficients of BS.1770-4, tables 1 and 2.
    """
    # The tangent prewarps the frequency, so that the bilinear transform keeps the corner where it is.
    k, q = math.tan(math.pi * head.hertz / sample_rate), head.quality
    high = 10 ** (head.gain_db / 20)
    # An ideal shelf has the square root; this exponent gives the digits of table 1.
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0]
    shelf += [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    # The corner and the Q behind table 2, which has the high-pass.
    k, q = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def shelf_taps(sample_rate: int) -> Doubles:
    """Return a linear-phase FIR, (SHELF_TAPS,), with the gain of the head's shelf at 48 kHz, for low sample rates."""
    from scipy.signal import firwin2, sosfreqz

    frequencies = np.linspace(0, sample_rate / 2, 513)
    _, shelf = sosfreqz(k_weighting(DESIGN_RATE)[:1], frequencies, fs=DESIGN_RATE)
    return np.asarray(firwin2(SHELF_TAPS, frequencies, np.abs(shelf), fs=sample_rate), dtype=np.float64)


def _scaled_high_pass(sample_rate: int) -> Doubles:
    """Return the high-pass with the gain it has at 48 kHz; its printed form is louder the lower the rate is."""
    _, section = k_weighting(sample_rate)
    _, design = k_weighting(DESIGN_RATE)
    # z = -1 is the Nyquist frequency, which a high-pass passes fully.
    signs = np.array([1.0, -1.0, 1.0])
    gain = (section[:3] @ signs / (section[3:] @ signs)) / (design[:3] @ signs / (design[3:] @ signs))
    return np.array([[*section[:3] / gain, *section[3:]]])


class KFilter:
    """A streaming K filter for blocks of (channels, n), at every sample rate from 1 kHz."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        is_low = sample_rate < LOWEST_WARPED_RATE
        self._taps = shelf_taps(sample_rate) if is_low else None
        self._sections = _scaled_high_pass(sample_rate) if is_low else k_weighting(sample_rate)
        self._state = np.zeros((len(self._sections), channels, 2))
        self._shelf_state = np.zeros((channels, SHELF_TAPS - 1))

    def weighted(self, block: Samples) -> Doubles:
        """Return the next block filtered, (channels, n)."""
        sound: Doubles | Samples = block
        if self._taps is not None:
            from scipy.signal import lfilter

            sound, self._shelf_state = lfilter(self._taps, 1.0, block, axis=1, zi=self._shelf_state)
        weighted, self._state = sosfilt_on(self._sections, sound, self._state)
        return np.asarray(weighted, dtype=np.float64)


def gated_lufs(energies: Doubles) -> float:
    """Return the gated loudness in LUFS of K-weighted block energies, (blocks,); −inf if the gate passes none."""
    loud = energies[energies > 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LUFS) / 10)]
    if not loud.size:
        return -math.inf
    gated = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return lufs(float(gated.mean()))


def lufs(energy: float) -> float:
    """Return the loudness in LUFS of K-weighted energy, summed over channels; −inf for 0."""
    return OFFSET_LUFS + 10 * math.log10(energy) if energy > 0 else -math.inf
