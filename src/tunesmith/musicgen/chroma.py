"""Chroma: a melody is heard as the strongest of twelve pitch classes, about eight times a second.

sound (channels, samples) -> melody (samples,) at the model's rate -> window of it -> chromagram (frames, bins)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.audio.resample import resample_blocks
from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import Architecture, ChromaShape

Melody = NDArray[np.float32]
"""Sound of one channel at the codec's rate, (samples,)."""
Chromagram = NDArray[np.float32]
"""One-hot pitch classes, (frames, bins); bin 0 is C."""

SILENCE = 1e-5  # peak, -100 dBFS: below what 16 bits can hold
REFERENCE_OCTAVE_HZ = 27.5  # A0, where octaves are counted from
CENTRE_OCTAVE, OCTAVE_WIDTH = 5.0, 2.0  # the octaves that count most, about A5


def extract_melody(samples: NDArray[np.float32], sample_rate: int, model_rate: int) -> Melody:
    """Mix (channels, samples) to one channel at the model's rate; raises InvalidRequest where there is no sound."""
    mono = samples.mean(axis=0, keepdims=True, dtype=np.float32)
    return heard_melody(np.concatenate(list(resample_blocks([mono], 1, sample_rate, model_rate)), axis=1)[0])


def heard_melody(melody: Melody) -> Melody:
    """Return the melody as it is; raises InvalidRequest where it is not numbers, or silent."""
    if not np.isfinite(melody).all():
        raise InvalidRequest("melody", "has samples that are not numbers")
    if max(melody.max(initial=0), -melody.min(initial=0)) < SILENCE:
        raise InvalidRequest("melody", "is silent; a melody to follow must be heard")
    return melody


def melody_window(melody: Melody, sample_rate: int, start_seconds: float, seconds: float) -> Melody:
    """Cut a stretch out of the melody as if it were repeated for ever.

    This is audiocraft's rule for pieces longer than the model's window, where every window gets its own stretch, of
    the window's full length; a piece that fits in one window takes the melody as it is.
    """
    start = int(start_seconds * sample_rate)
    positions = np.arange(start, start + int(seconds * sample_rate))
    return melody[positions % melody.size]


def chromagram(melody: Melody, architecture: Architecture) -> Chromagram:
    """Return the strongest pitch class of each frame, of the melody's first window, repeated or cut to its length.

    The architecture must have chroma. A silent frame counts as bin 0.
    """
    shape = architecture.chroma
    assert shape is not None
    sample_rate = architecture.codec.sample_rate
    melody = melody[: int(architecture.window_seconds * sample_rate)]
    strengths = _power(_padded(melody, shape.fft_size), shape) @ _filters(shape, sample_rate).T
    return _one_hot(np.resize(strengths.argmax(axis=1), shape.num_frames), shape)


def silent_chroma(shape: ChromaShape) -> Chromagram:
    """Return what the model was trained to take for no melody: bin 0 throughout."""
    return _one_hot(np.zeros(shape.num_frames, np.int64), shape)


def _one_hot(bins: NDArray[np.int64], shape: ChromaShape) -> Chromagram:
    return np.eye(shape.num_chroma, dtype=np.float32)[bins]


def _padded(melody: Melody, size: int) -> Melody:
    """Centre a melody shorter than a window in silence."""
    missing = max(0, size - melody.size)
    return np.pad(melody, (missing // 2, missing - missing // 2))


def _power(melody: Melody, shape: ChromaShape) -> NDArray[np.float32]:
    """Return the power spectrum of Hann windows centred on each hop: (frames, frequencies)."""
    import scipy.fft  # a third of a second, which only melodies should cost

    half = shape.fft_size // 2
    around = np.pad(melody, half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(around, shape.fft_size)[:: shape.hop]
    window = np.hanning(shape.fft_size + 1)[:-1].astype(np.float32)
    spectrum: NDArray[np.float32] = np.abs(scipy.fft.rfft(frames * window)) ** 2
    return spectrum


def _filters(shape: ChromaShape, sample_rate: int) -> NDArray[np.float32]:
    """Return how much each frequency counts for each pitch class, (bins, frequencies), after Ellis's chroma features.

    A bump around every pitch of the class, at least a bin wide; of unit length per frequency; octaves far from the
    centre count less.
    """
    bins, size = shape.num_chroma, shape.fft_size
    octaves = np.log2(np.arange(1, size) * sample_rate / size / REFERENCE_OCTAVE_HZ)
    octaves = np.concatenate([[octaves[0] - 1.5], octaves])  # 0 Hz has no pitch: it is put below the first
    pitches = bins * octaves
    widths = np.append(np.maximum(np.diff(pitches), 1.0), 1.0)
    offsets = (pitches - np.arange(bins)[:, None] + bins / 2) % bins - bins / 2
    bumps = np.exp(-0.5 * (2 * offsets / widths) ** 2)
    bumps /= np.linalg.norm(bumps, axis=0)
    bumps *= np.exp(-0.5 * ((octaves - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2)
    from_c = np.roll(bumps, -3 * (bins // 12), axis=0)  # octaves are counted from A, bins from C
    filters: NDArray[np.float32] = from_c[:, : size // 2 + 1].astype(np.float32)
    return filters
