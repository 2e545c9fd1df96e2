"""Source audio: the recording that a request changes, repaints or continues, checked and at the model's format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunesmith.audio import Audio, Spool
from tunesmith.audio.decoder import SoundLimits
from tunesmith.audio.reader import read_audio
from tunesmith.audio.resample import resample
from tunesmith.audio.spool import Samples
from tunesmith.errors import InvalidRequest
from tunesmith.request import MAX_DURATION_SECONDS
from tunesmith.stable_audio.architecture import StableAudioArchitecture

MIN_SECONDS = 0.1
SILENCE = 1e-4
"""The peak below which a recording is silent."""
LIMITS = SoundLimits(channels=64, seconds=MAX_DURATION_SECONDS)


class SourceAudio:
    """A recording as (channels, samples) at the model's sample rate; positions are in samples."""

    def __init__(self, audio: Audio) -> None:
        self._audio = audio

    @property
    def num_samples(self) -> int:
        """Samples of a channel."""
        return self._audio.num_samples

    @property
    def duration(self) -> float:
        """The duration in seconds."""
        return self._audio.duration

    def read(self, first: int, last: int) -> Samples:
        """Return the samples from ``first`` up to ``last``; silence outside the recording."""
        return self._audio.between(first, last)

    def read_mirrored(self, first: int, last: int) -> Samples:
        """Return the samples from ``first`` up to ``last``; past the end, the recording backwards."""
        end = self.num_samples
        samples = self.read(first, last)
        if last > end:
            start = max(first, end)
            samples[:, start - first :] = self.read(2 * end - last, 2 * end - start)[:, ::-1]
        return samples


def read_source(path: Path, architecture: StableAudioArchitecture, max_seconds: float) -> SourceAudio:
    """Read the recording of a request.

    Raises AudioFileError if the file cannot be read, and InvalidRequest if it is too long, too short or silent.
    """
    audio = read_audio(path, LIMITS)
    if not MIN_SECONDS <= audio.duration <= max_seconds:
        limits = f"{MIN_SECONDS:g} to {max_seconds:.5g} s"
        raise InvalidRequest("audio", f"{path} must be {limits} long, it is {audio.duration:.5g} s")
    audio = resample(_with_two_channels(audio, architecture.audio_channels), architecture.sample_rate)
    peak = 0.0
    for block in audio.blocks():
        peak = max(peak, float(block.max()), -float(block.min()))
    if peak < SILENCE:
        raise InvalidRequest(
            "audio", f"{path} is silent, with a peak of {peak:.2g}; the model needs sound to start from"
        )
    return SourceAudio(audio)


def _with_two_channels(audio: Audio, channels: int) -> Audio:
    """Return the sound with the model's channels: mono in each of them, else the first ones, as the reference does."""
    if audio.channels == channels:
        return audio
    spool = Spool(channels)
    for block in audio.blocks():
        spool.append(np.repeat(block, channels, axis=0) if audio.channels == 1 else block[:channels])
    return audio.with_samples(spool)
