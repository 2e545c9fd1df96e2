"""Quick measurements of a sound by control frames: without a true peak, at a fraction of the master's own."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.k_weighting import k_weighting
from tunesmith.audio.recursive_filters import sosfilt_on
from tunesmith.composer.mix.control_rate import CONTROL, Curve
from tunesmith.composer.mix.master.loudness_frames import EMPTY
from tunesmith.composer.sound.voice import SAMPLE_RATE


class FramePowers:
    """The powers and peaks of successive blocks, one value every CONTROL samples at the composer's rate.

    One thread may add blocks while another one reads.
    """

    def __init__(self, channels: int) -> None:
        self._sections = k_weighting(SAMPLE_RATE)
        self._state = np.zeros((2, channels, 2))
        self._rest: Samples = np.zeros((channels, 0), np.float32)
        self._measured: tuple[tuple[Curve, Curve, Curve], ...] = ()

    def __len__(self) -> int:
        """Return the number of frames."""
        return sum(len(power) for power, _, _ in self._measured)

    def add(self, block: Samples) -> None:
        """Measure the next samples, (channels, n)."""
        line = np.concatenate((self._rest, block), axis=1)
        whole = line.shape[1] // CONTROL * CONTROL
        line, self._rest = line[:, :whole], line[:, whole:].copy()
        channels = len(line)
        framed = line.reshape(channels, -1, CONTROL)
        weighted, self._state = sosfilt_on(self._sections, line, self._state)
        heard = weighted.reshape(channels, -1, CONTROL)
        power = (np.einsum("cfs,cfs->f", heard, heard) / CONTROL).astype(np.float32)
        plain = (np.einsum("cfs,cfs->f", framed, framed) / (channels * CONTROL)).astype(np.float32)
        self._measured = (*self._measured, (power, plain, np.abs(framed).max(axis=(0, 2))))

    def so_far(self) -> tuple[Curve, Curve, Curve]:
        """Return K-weighted power (summed over channels), plain power (their mean) and peak, (frames,) each."""
        measured = self._measured
        if not measured:
            return EMPTY, EMPTY, EMPTY
        power, plain, peak = (np.concatenate(each) for each in zip(*measured, strict=True))
        return power, plain, peak
