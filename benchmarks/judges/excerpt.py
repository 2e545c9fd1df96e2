"""What the descriptors look at: 36 s of a mix at one loudness, with the spectra and onsets that several share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import librosa
import numpy as np
import numpy.typing as npt
import pyloudnorm
import scipy.signal
import soxr

Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

RATE, HALF_RATE = 44_100, 22_050
SECONDS, LEAST_SECONDS = 36.0, 12.0
INTRO_SECONDS = 10.0  # left out where the piece is long enough
LOUDNESS_LUFS = -16.0
FRAME, HOP = 4096, 1024  # of the spectrum, at RATE
ONSET_HOP = 256  # at HALF_RATE
MEL_FRAME, MEL_HOP, MEL_BANDS = 2048, 512, 64
PICK_BEFORE, PICK_AROUND, PICK_WAIT, PICK_ABOVE = 2, 8, 2, 0.07  # onset frames, and the share of the strongest onset


@dataclass(frozen=True)
class Excerpt:
    """A window of a mix at RATE and LOUDNESS_LUFS.

    ``stereo`` is (2, samples), ``loudness_lufs`` what the window had before. Everything else is derived from them once.
    """

    stereo: Matrix
    loudness_lufs: float

    @cached_property
    def mono(self) -> Matrix:
        """The mean of both channels, (samples,)."""
        return np.asarray(self.stereo.mean(axis=0), dtype=np.float32)

    @cached_property
    def half_rate(self) -> Matrix:
        """The mean of both channels at HALF_RATE, (samples,)."""
        return np.asarray(soxr.resample(self.mono, RATE, HALF_RATE), dtype=np.float32)

    @cached_property
    def magnitude(self) -> Matrix:
        """The magnitude spectrum of ``mono``, (FRAME / 2 + 1, frames)."""
        return np.asarray(np.abs(librosa.stft(self.mono, n_fft=FRAME, hop_length=HOP)), dtype=np.float32)

    @cached_property
    def onset_strength(self) -> Matrix:
        """How much starts to sound, one value each ONSET_HOP samples at HALF_RATE."""
        strength = librosa.onset.onset_strength(y=self.half_rate, sr=HALF_RATE, hop_length=ONSET_HOP)
        return np.asarray(strength, dtype=np.float32)

    @cached_property
    def onsets(self) -> npt.NDArray[np.int64]:
        """The frames of ``onset_strength`` at which something starts, (onsets,)."""
        return peaks(self.onset_strength)

    @cached_property
    def log_mel(self) -> Matrix:
        """The mel spectrogram in dB, (MEL_BANDS, frames of MEL_HOP at HALF_RATE), at most 80 dB deep."""
        mel = librosa.feature.melspectrogram(
            y=self.half_rate, sr=HALF_RATE, n_fft=MEL_FRAME, hop_length=MEL_HOP, n_mels=MEL_BANDS
        )
        return np.asarray(librosa.power_to_db(mel + 1e-7), dtype=np.float32)


def excerpt_of(samples: Matrix, sample_rate: int) -> Excerpt:
    """Return the window of ``samples``, (channels, n): from 10 s on, or earlier where the piece ends sooner.

    Raises ValueError below LEAST_SECONDS of sound, and where there is only silence.
    """
    length = samples.shape[1] / sample_rate
    if length < LEAST_SECONDS:
        raise ValueError(f"a piece of {length:.1f} s is too short to describe; it needs {LEAST_SECONDS:.0f} s")
    start = int(max(0.0, min(INTRO_SECONDS, length - SECONDS)) * sample_rate)
    window = samples[[0, -1], start : start + int(SECONDS * sample_rate)]
    if sample_rate != RATE:
        window = soxr.resample(window.T, sample_rate, RATE).T
    loudness = float(pyloudnorm.Meter(RATE).integrated_loudness(window.T.astype(np.float64)))
    if not np.isfinite(loudness):
        raise ValueError("the piece is silent")
    gain = 10 ** ((LOUDNESS_LUFS - loudness) / 20)
    return Excerpt(np.asarray(window * gain, dtype=np.float32), loudness)


def peaks(strength: Matrix) -> npt.NDArray[np.int64]:
    """Return the frames that are the highest so far and well above the mean around them (Böck et al. 2012)."""
    scaled = strength - strength.min()
    scaled = scaled / (scaled.max() + np.finfo(np.float32).tiny)
    found: list[int] = []
    frame, last = 0, len(scaled)
    while frame < last:
        before = scaled[max(0, frame - PICK_BEFORE) : frame + 1]
        around = scaled[max(0, frame - PICK_AROUND) : frame + PICK_AROUND + 1]
        if scaled[frame] == before.max() and scaled[frame] >= around.mean() + PICK_ABOVE:
            found.append(frame)
            frame += PICK_WAIT
        frame += 1
    return np.array(found, dtype=np.int64)


def band_pass(sound: Floats, edges: tuple[float, float], rate: int) -> Floats:
    """Return the band between two edges in Hz of a sound, (…, samples)."""
    sections = scipy.signal.butter(4, edges, "band", fs=rate, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, sound), dtype=np.float64)


def moving_mean(values: npt.NDArray[np.floating], length: int) -> Floats:
    """Return the means of all windows of ``length`` values, (n - length + 1,)."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return np.asarray((sums[length:] - sums[:-length]) / length, dtype=np.float64)


def centred_mean(values: npt.NDArray[np.floating], length: int) -> Floats:
    """Return the mean around each value, (n,); the first and the last whole window stand for the edges."""
    means = moving_mean(values, length)
    return np.pad(means, (length // 2, len(values) - len(means) - length // 2), mode="edge")


def decibels(power: npt.NDArray[np.floating], floor: float) -> Floats:
    """Return power in dB, with ``floor`` added to it so that silence has a level too."""
    return np.asarray(10 * np.log10(power + floor), dtype=np.float64)


def percentile_range(values: npt.NDArray[np.floating], low: float, high: float) -> float:
    """Return the distance between two percentiles."""
    lower, upper = np.percentile(values, [low, high])
    return float(upper - lower)
