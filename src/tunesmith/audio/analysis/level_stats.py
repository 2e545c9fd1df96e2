"""LevelStats: silence, clipping, loudness and the spectral balance by octaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.loudness import LoudnessMeter
from tunesmith.audio.spool import Samples

SILENT_DBFS = -60.0
WINDOW_SECONDS = 0.05
CLIPPED = 0.999
LEAST_RUN = 3
"""The shortest run of samples at full scale that counts as clipped; shorter ones may be a peak that just touches it."""
# The nominal octave bands of IEC 61260.
OCTAVES_HZ = (63, 125, 250, 500, 1000, 2000, 4000, 8000)
SPECTRUM_SIZE = 4096

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelStats:
    """Level statistics of a sound.

    ``silent`` and ``clipped`` are shares of the sound, 0 to 1; ``longest_gap`` is its longest silence in seconds.
    ``octaves`` are the shares of the energy around OCTAVES_HZ, 0 above the Nyquist frequency; all are 0 for silence.
    """

    silent: float
    longest_gap: float
    clipped: float
    loudness_lufs: float
    octaves: tuple[float, ...]


def levels_of(audio: Audio) -> LevelStats:
    """Measure the levels of a sound, block by block."""
    meter = LoudnessMeter(audio.sample_rate, audio.channels, audio.sample_format.channel_mask)
    window = max(1, round(WINDOW_SECONDS * audio.sample_rate))
    powers, spectrum, clipped = [], np.zeros(SPECTRUM_SIZE // 2 + 1), 0
    # Whole windows per block, so that only the last block needs padding.
    for block in audio.blocks(window * 1024):
        meter.add(block)
        clipped += sum(_clipped(channel) for channel in block)
        powers.append(_powers(block, window))
        spectrum += _spectrum(block)
    quiet = np.concatenate([*powers, np.zeros(0)]) < 10 ** (SILENT_DBFS / 10)
    samples = max(1, audio.num_samples * audio.channels)
    return LevelStats(
        float(quiet.mean()) if quiet.size else 1.0, _longest(quiet) * WINDOW_SECONDS, clipped / samples,
        meter.integrated(), _octaves(spectrum, audio.sample_rate),
    )  # fmt: skip


def _powers(block: Samples, window: int) -> Doubles:
    """Return the mean power of each window in its loudest channel, (windows,); an incomplete last one counts too."""
    missing = -block.shape[1] % window
    whole = np.pad(block, ((0, 0), (0, missing))) if missing else block
    means = np.square(whole.reshape(block.shape[0], -1, window), dtype=np.float64).mean(axis=2)
    return np.asarray(means.max(axis=0), np.float64)


def _clipped(channel: npt.NDArray[np.float32]) -> int:
    """Return the number of samples in runs at full scale."""
    # Padded, so that a run at either end of the block has two edges as well.
    full = np.concatenate([[False], np.abs(channel) >= CLIPPED, [False]])
    edges = np.flatnonzero(full[1:] != full[:-1])
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= LEAST_RUN].sum())


def _spectrum(block: Samples) -> Doubles:
    mono = block.mean(axis=0)
    frames = mono[: mono.size // SPECTRUM_SIZE * SPECTRUM_SIZE].reshape(-1, SPECTRUM_SIZE)
    magnitudes = np.abs(np.fft.rfft(frames * np.hanning(SPECTRUM_SIZE), axis=1))
    return np.asarray(np.square(magnitudes).sum(axis=0), np.float64)


def _octaves(spectrum: Doubles, sample_rate: int) -> tuple[float, ...]:
    frequencies = np.fft.rfftfreq(SPECTRUM_SIZE, 1 / sample_rate)
    energies = np.array([
        # Bands an octave wide, half of it on each side of the centre.
        spectrum[(frequencies >= centre / 2**0.5) & (frequencies < centre * 2**0.5)].sum() for centre in OCTAVES_HZ
    ])  # fmt: skip
    total = energies.sum()
    return tuple(float(share) for share in (energies / total if total > 0 else energies))


def _longest(quiet: npt.NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
