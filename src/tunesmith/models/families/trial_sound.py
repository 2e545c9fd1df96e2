"""The sound of a trial: what a model that was converted wrongly makes, told from music."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.audio import Audio
from tunesmith.errors import ModelFileError

FRAME_SAMPLES = 2048
SILENT_RMS = 1e-4
"""The root mean square, relative to full scale, below which a sound counts as silent (-80 dB)."""
CLIPPED_LEVEL, MOST_CLIPPED = 0.999, 0.05
"""The level that counts as clipped, and the largest accepted share of samples at it."""
NOISE_FLATNESS = 0.4
"""The spectral flatness from which a sound counts as noise; white noise has 0.56, music below 0.1."""
AUDIBLE_HZ = (50.0, 16_000.0)


def check_finite(audio: Audio, model: str) -> None:
    """Raise ModelFileError for sound that is not numbers."""
    if not np.isfinite(audio.samples).all():
        raise ModelFileError(model, "the model generates samples that are NaN or infinite")


def check_audible(audio: Audio, model: str) -> None:
    """Raise ModelFileError for sound that is not numbers, or silent."""
    check_finite(audio, model)
    samples = audio.samples
    loudness = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    if loudness < SILENT_RMS:
        raise ModelFileError(model, f"the model generates silence: an RMS of {loudness:.2g}, below {SILENT_RMS}")


def check_sound(audio: Audio, model: str) -> None:
    """Raise ModelFileError, which names the measure, for sound that is not numbers, silent, clipped or noise."""
    check_audible(audio, model)
    samples = audio.samples
    clipped = float(np.mean(np.abs(samples) >= CLIPPED_LEVEL))
    if clipped > MOST_CLIPPED:
        raise ModelFileError(
            model, f"the model generates clipped sound: {clipped:.0%} of it, more than {MOST_CLIPPED:.0%}"
        )
    flatness = spectral_flatness(samples.mean(axis=0), audio.sample_rate)
    if flatness > NOISE_FLATNESS:
        problem = f"the model generates noise: a spectral flatness of {flatness:.2f}, above {NOISE_FLATNESS}"
        raise ModelFileError(model, problem)


def spectral_flatness(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return the geometric mean of the power spectrum over its arithmetic mean, averaged over the frames.

    Frequencies below 50 Hz and above 16 kHz do not count: recordings have nothing there. 0 is a tone; white noise,
    whose power in each frame is exponentially distributed, has exp(-0.577) = 0.56.
    """
    # Imported here: it takes half a second, and most of those who load this module never get as far as a trial.
    from scipy.signal import stft

    size = min(FRAME_SAMPLES, samples.size)
    frequencies, _, spectrum = stft(samples, sample_rate, nperseg=size, boundary=None)
    low, high = AUDIBLE_HZ
    power = np.abs(spectrum[(frequencies >= low) & (frequencies <= high)]) ** 2
    # A silent frame has no flatness.
    power = power[:, power.sum(axis=0) > power.sum(axis=0).max() * 1e-6]
    if not power.size:
        return 0.0
    geometric = np.exp(np.log(power + 1e-20).mean(axis=0))
    return float(np.mean(geometric / power.mean(axis=0)))
