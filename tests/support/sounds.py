"""Small sound files in memory."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from tunesmith.audio import Audio


def wav_bytes(seconds: float = 1.0, sample_rate: int = 8000) -> bytes:
    """Return a WAV file of a quiet 220 Hz tone."""
    at = np.arange(round(seconds * sample_rate)) / sample_rate
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * 220 * at), sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def clicks(
    tempo_bpm: float, seconds: float = 20.0, beats_a_bar: int = 4, start: float = 0.3, rate: int = 44_100
) -> Audio:
    """Short tones on each beat, low and loud on the first of each bar."""
    rate = 44_100
    sound = np.zeros(round(seconds * rate), np.float32)
    tone = np.arange(round(0.06 * rate)) / rate
    fall = np.exp(-tone * 60)
    for number, time in enumerate(np.arange(start, seconds - 0.1, 60 / tempo_bpm)):
        first = number % beats_a_bar == 0
        at = round(time * rate)
        sound[at : at + tone.size] += (0.8 if first else 0.3) * fall * np.sin(2 * np.pi * (90 if first else 900) * tone)
    return Audio(sound[None], rate)
