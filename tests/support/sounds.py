"""Small sound files in memory."""

from __future__ import annotations

import io

import numpy as np
import soundfile


def wav_bytes(seconds: float = 1.0, sample_rate: int = 8000) -> bytes:
    """Return a WAV file of a quiet 220 Hz tone."""
    at = np.arange(round(seconds * sample_rate)) / sample_rate
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * 220 * at), sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
