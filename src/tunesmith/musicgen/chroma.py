"""Melody conditioning: the strongest of twelve pitch classes, about eight times a second.

audio (channels, samples) -> melody (samples,) at the model's rate -> window -> chromagram (frames, bins)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import Architecture, ChromaShape

Melody = NDArray[np.float32]
"""Mono audio at the codec's rate, (samples,)."""
Chromagram = NDArray[np.float32]
"""One-hot pitch classes, (frames, bins); bin 0 is C."""

# As a peak: -100 dBFS, below the resolution of 16 bits.
SILENCE = 1e-5
# A0, the pitch from which octaves are counted.
REFERENCE_OCTAVE_HZ = 27.5
# The octaves with the highest weight, about A5.
CENTRE_OCTAVE, OCTAVE_WIDTH = 5.0, 2.0


def audible_melody(melody: Melody) -> Melody:
    """Return the melody unchanged. Raises InvalidRequest if it is silent or has samples that are not finite."""
    if not np.isfinite(melody).all():
        raise InvalidRequest("melody", "has samples that are NaN or infinite")
    if max(melody.max(initial=0), -melody.min(initial=0)) < SILENCE:
        raise InvalidRequest("melody", "is silent; a melody to follow must be audible")
    return melody


def melody_window(melody: Melody, sample_rate: int, start_seconds: float, seconds: float) -> Melody:
    """Cut a window out of the melody, which repeats without end.

    ``start_seconds`` and ``seconds`` are the window's position and length. This is audiocraft's rule for audio longer
    than the trained window: each window gets its own stretch of the melody at the window's full length. A sequence of
    one window uses the melody as it is.
    """
    start = int(start_seconds * sample_rate)
    positions = np.arange(start, start + int(seconds * sample_rate))
    return melody[positions % melody.size]


def chromagram(melody: Melody, architecture: Architecture) -> Chromagram:
    """Return the one-hot strongest pitch class per frame, (frames, bins), of the melody's first window.

    The frames are repeated or cut to the architecture's ``num_frames``. The architecture must have chroma. A silent
    frame counts as bin 0.
    """
    shape = architecture.chroma
    assert shape is not None
    sample_rate = architecture.codec.sample_rate
    melody = melody[: int(architecture.window_seconds * sample_rate)]
    strengths = _power(_padded(melody, shape.fft_size), shape) @ _filters(shape, sample_rate).T
    # np.resize repeats the frames of a short melody, where an array's own resize would append zeros.
    return _one_hot(np.resize(strengths.argmax(axis=1), shape.num_frames), shape)


def silent_chroma(shape: ChromaShape) -> Chromagram:
    """Return the chromagram the model was trained with for "no melody": bin 0 in every frame."""
    return _one_hot(np.zeros(shape.num_frames, np.int64), shape)


def _one_hot(bins: NDArray[np.int64], shape: ChromaShape) -> Chromagram:
    return np.eye(shape.num_chroma, dtype=np.float32)[bins]


def _padded(melody: Melody, size: int) -> Melody:
    """Pad a melody shorter than one FFT with silence on both sides."""
    missing = max(0, size - melody.size)
    return np.pad(melody, (missing // 2, missing - missing // 2))


def _power(melody: Melody, shape: ChromaShape) -> NDArray[np.float32]:
    """Return the power spectrum of Hann windows centred on each hop: (frames, frequencies)."""
    # Importing SciPy takes a third of a second, which only melody requests should pay.
    import scipy.fft

    half = shape.fft_size // 2
    around = np.pad(melody, half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(around, shape.fft_size)[:: shape.hop]
    # A periodic window, as torch's STFT uses; NumPy's own is symmetric.
    window = np.hanning(shape.fft_size + 1)[:-1].astype(np.float32)
    spectrum: NDArray[np.float32] = np.abs(scipy.fft.rfft(frames * window)) ** 2
    return spectrum


def _filters(shape: ChromaShape, sample_rate: int) -> NDArray[np.float32]:
    """Return the weight of each frequency for each pitch class, (bins, frequencies), after Ellis's chroma features.

    Each filter has a Gaussian bump, at least one bin wide, around every pitch of its class. The weights of a frequency
    have unit length and fall off with distance from the centre octave.
    """
    bins, size = shape.num_chroma, shape.fft_size
    octaves = np.log2(np.arange(1, size) * sample_rate / size / REFERENCE_OCTAVE_HZ)
    # 0 Hz has no pitch: place it below the first frequency.
    octaves = np.concatenate([[octaves[0] - 1.5], octaves])
    pitches = bins * octaves
    widths = np.append(np.maximum(np.diff(pitches), 1.0), 1.0)
    # Wrap the distance to the nearest octave of each pitch class: -bins/2 to bins/2.
    offsets = (pitches - np.arange(bins)[:, None] + bins / 2) % bins - bins / 2
    bumps = np.exp(-0.5 * (2 * offsets / widths) ** 2)
    bumps /= np.linalg.norm(bumps, axis=0)
    bumps *= np.exp(-0.5 * ((octaves - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2)
    # Octaves are counted from A, but the bins start at C.
    from_c = np.roll(bumps, -3 * (bins // 12), axis=0)
    filters: NDArray[np.float32] = from_c[:, : size // 2 + 1].astype(np.float32)
    return filters
