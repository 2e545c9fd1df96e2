"""Post-filter effects: saturation and chorus."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.synth.filters import static_filter
from tunesmith.composer.sound.voice import SAMPLE_RATE

# In Hz; saturating an asymmetric wave shifts its mean.
_OFFSET_CUTOFF = 16.0


def saturate(signal: Samples, drive: float) -> Samples:
    """Return a signal of about full scale with its peaks saturated, as by a tube; ``drive`` 0 leaves it unchanged."""
    if drive <= 0:
        return signal
    bent = np.tanh(signal * np.float32(drive)) / np.float32(np.tanh(drive))
    return static_filter(bent, "high12", _OFFSET_CUTOFF)


def chorus(signal: Samples, depth: float) -> Samples:
    """Return (1 or 2, samples) widened to stereo by two slowly modulated delays; ``depth`` 0–1 is their share."""
    stereo = np.repeat(signal, 2, axis=0) if signal.shape[0] == 1 else signal
    if depth <= 0:
        return stereo
    samples = stereo.shape[1]
    position = np.arange(samples, dtype=np.float32)
    copies = np.empty_like(stereo)
    # Two rates without a common period, so that the movement does not repeat audibly.
    for channel, (rate, delay) in enumerate(((0.53, 0.0121), (0.67, 0.0149))):
        swing = np.sin(position * np.float32(2 * np.pi * rate / SAMPLE_RATE) + channel * np.pi / 2)
        behind = np.float32(SAMPLE_RATE) * (np.float32(delay) + np.float32(0.0028) * swing)
        whole = np.floor(behind).astype(np.int32)
        fraction = behind - whole
        index = np.arange(samples, dtype=np.int32) - whole
        # Index −1 and below read silence.
        source = np.pad(stereo[1 - channel], (1, 0))
        near, far = source.take(index + 1, mode="clip"), source.take(index, mode="clip")
        far -= near
        far *= fraction
        np.add(near, far, out=copies[channel])
    return np.asarray(stereo * np.float32(1 - 0.4 * depth) + copies * np.float32(0.6 * depth), np.float32)
