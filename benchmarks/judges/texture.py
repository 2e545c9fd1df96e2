"""What fills a mix between its onsets: change of timbre, modulation, noise against tone, partials, chroma, likeness."""

from __future__ import annotations

from collections.abc import Mapping

import librosa
import numpy as np
import scipy.ndimage

from judges.chroma import chroma
from judges.excerpt import HALF_RATE, MEL_HOP, Excerpt, Floats, Matrix, moving_mean

MODULATION: Mapping[str, tuple[float, float]] = {
    "0.05-.5": (0.05, 0.5), ".5-2": (0.5, 2), "2-5": (2, 5), "5-10": (5, 10), "10-21": (10, 21.5),
}  # fmt: skip
LONG_FRAME, LONG_HOP = 8192, 4096
ZERO_FRAME, ZERO_LEVEL = 2048, 1e-10
BLOCK_FRAMES = 22  # of the mel spectrogram: about half a second
FAR_BLOCKS = 30


def texture(excerpt: Excerpt) -> dict[str, float]:
    """Return the descriptors of texture; each function below names its own."""
    log_mel = excerpt.log_mel
    return {
        "melflux": float(np.abs(np.diff(log_mel, axis=1)).mean()),
        "mel_std_time": float(log_mel.std(axis=1).mean()),
        "mel_floor": float((np.percentile(log_mel, 5, axis=1) - log_mel.mean(axis=1)).mean()),
        "zcr": zero_crossings(excerpt.half_rate),
        **modulation(log_mel),
        **tone_and_noise(excerpt.half_rate),
        **harmony(excerpt.half_rate),
        **self_similarity(log_mel),
    }


def zero_crossings(sound: Matrix) -> float:
    """Return the share of samples at which the sign changes, as the mean over overlapping frames."""
    padded = np.pad(sound, ZERO_FRAME // 2, mode="edge")
    changes = np.diff(np.signbit(np.where(np.abs(padded) <= ZERO_LEVEL, 0, padded)))
    # A frame of n samples has n - 1 changes.
    return float(moving_mean(changes, ZERO_FRAME - 1)[::MEL_HOP].mean() * (1 - 1 / ZERO_FRAME))


def modulation(log_mel: Matrix) -> dict[str, float]:
    """Return ``mod_<Hz>``: at which speed the mel bands move, as shares in dB; ``mod_peakiness`` how regularly."""
    moving = log_mel - log_mel.mean(axis=1, keepdims=True)
    power = (np.abs(np.fft.rfft(moving * np.hanning(moving.shape[1]), axis=1)) ** 2).mean(axis=0)
    speed = np.fft.rfftfreq(moving.shape[1], MEL_HOP / HALF_RATE)
    whole = power[speed > 0.05].sum()
    shares = {
        f"mod_{name}": float(10 * np.log10(power[(speed >= low) & (speed < high)].sum() / whole + 1e-9))
        for name, (low, high) in MODULATION.items()
    }
    pulse = power[(speed > 1) & (speed < 12)]
    return {**shares, "mod_peakiness": float(10 * np.log10(pulse.max() / pulse.mean()))}


def tone_and_noise(sound: Matrix) -> dict[str, float]:
    """Return ``perc_ratio``, struck over sustained sound in dB, and what the partials from 60 to 5000 Hz are like.

    ``peaks_per_frame`` counts those within 40 dB of the strongest that stand 5 dB above what is around them;
    ``inharm_valley`` is the strongest above the median in dB.
    """
    short = np.abs(librosa.stft(sound, n_fft=1024, hop_length=1024))
    sustained, struck = librosa.decompose.hpss(short, kernel_size=(9, 31))
    power = np.abs(librosa.stft(sound, n_fft=LONG_FRAME, hop_length=LONG_HOP)) ** 2
    frequencies = librosa.fft_frequencies(sr=HALF_RATE, n_fft=LONG_FRAME)
    levels = librosa.power_to_db(power + 1e-9)[(frequencies > 60) & (frequencies < 5000)]
    around = 10 * np.log10(scipy.ndimage.uniform_filter1d(10 ** (levels / 10), 41, axis=0) + 1e-12)
    inner, top = levels[1:-1], levels.max(axis=0)
    peaks = (inner > levels[:-2]) & (inner > levels[2:]) & (inner > top - 40) & (inner > around[1:-1] + 5)
    return {
        "perc_ratio": float(10 * np.log10((struck**2).sum() / (sustained**2).sum())),
        "peaks_per_frame": float(peaks.sum(axis=0).mean()),
        "inharm_valley": float((top - np.median(levels, axis=0)).mean()),
    }


def harmony(sound: Matrix) -> dict[str, float]:
    """Return ``chroma_entropy`` in bits, how many pitch classes sound at once, and ``chroma_flux``, how they change."""
    rows = chroma(sound, LONG_FRAME, LONG_HOP)
    shares = rows / np.maximum(rows.sum(axis=0), 1e-9)
    return {
        "chroma_entropy": float((-(shares * np.log2(shares + 1e-9)).sum(axis=0)).mean()),
        "chroma_flux": float(np.abs(np.diff(shares, axis=1)).sum(axis=0).mean()),
    }


def self_similarity(log_mel: Matrix) -> dict[str, float]:
    """Return how alike the timbre of half seconds is: ``ssm_near`` within 2 s, ``ssm_far`` beyond 15, and its size."""
    timbre = librosa.feature.mfcc(S=log_mel, n_mfcc=20)[1:]
    count = timbre.shape[1] // BLOCK_FRAMES
    blocks: Floats = timbre[:, : count * BLOCK_FRAMES].reshape(len(timbre), count, BLOCK_FRAMES).mean(axis=2).T
    centred = blocks - blocks.mean(axis=0)
    unit = centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9)
    likeness = unit @ unit.T
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    found = {
        "ssm_mean_abs": float(np.abs(likeness).mean()),
        "ssm_near": float(likeness[(apart > 0) & (apart <= 4)].mean()),
    }
    # A short piece has no blocks that are far apart.
    return found if count <= FAR_BLOCKS + 1 else {**found, "ssm_far": float(likeness[apart > FAR_BLOCKS].mean())}
