"""Integrated loudness by ITU-R BS.1770-4 and EBU R 128, measured block by block in bounded memory."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.audio.k_weighting import KFilter, gated_lufs, lufs
from tunesmith.audio.speaker_layout import weights
from tunesmith.audio.spool import Samples


class LoudnessMeter:
    """A streaming meter of integrated loudness for blocks of (channels, n); keeps one number per 100 ms.

    ``channel_mask`` assigns speakers to the channels, as in :mod:`tunesmith.audio.speaker_layout`.
    """

    def __init__(self, sample_rate: int, channels: int, channel_mask: int | None = None) -> None:
        # 100 ms: four of them are a gating block of BS.1770, and blocks overlap by three.
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
        """Return the loudness so far in LUFS; −inf for silence."""
        energies = np.array(self._energies)
        # Under 400 ms there is no whole gating block, so the plain mean counts.
        if energies.size < 4:
            total = energies.sum() * self._hop + self._rest.sum()
            return lufs(total / max(1, energies.size * self._hop + self._rest.size))
        # Gating blocks of 400 ms that overlap by 75 %.
        blocks = np.convolve(energies, np.full(4, 0.25), mode="valid")
        return gated_lufs(blocks)


def loudness_of(audio: Audio) -> float:
    """Return the integrated loudness in LUFS."""
    meter = LoudnessMeter(audio.sample_rate, audio.channels, audio.sample_format.channel_mask)
    for block in audio.blocks():
        meter.add(block)
    return meter.integrated()
