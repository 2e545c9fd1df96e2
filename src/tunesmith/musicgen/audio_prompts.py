"""Recordings that come with a request: what is to be continued, and the melody that is to be followed."""

from __future__ import annotations

from pathlib import Path

from tunesmith.audio import Audio
from tunesmith.audio.decoder import SoundLimits
from tunesmith.audio.edit import to_mono, with_channels
from tunesmith.audio.reader import read_audio
from tunesmith.audio.resample import resample
from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.chroma import SILENCE, Melody, chromagram, heard_melody, melody_window
from tunesmith.musicgen.runner import Samples
from tunesmith.musicgen.sequence import ChromaOfWindow
from tunesmith.request import MAX_DURATION_SECONDS

MIN_SECONDS = 0.1
LIMITS = SoundLimits(channels=64, seconds=MAX_DURATION_SECONDS)


def read_continued(path: Path, architecture: Architecture) -> Samples:
    """Read what is to be continued: (audio channels, whole frames) at the codec's rate.

    Raises AudioFileError for a file that cannot be read, InvalidRequest for sound that is too long, too short or
    silent.
    """
    sound = with_channels(_read("audio", path), architecture.audio_channels)
    samples = resample(sound, architecture.codec.sample_rate).samples
    if max(samples.max(), -samples.min()) < SILENCE:
        raise InvalidRequest("audio", f"{path} is silent; what is to be continued must be heard")
    hop = architecture.codec.hop
    return samples[:, : samples.shape[1] // hop * hop]


def read_melody(path: Path, architecture: Architecture) -> Melody:
    """Read a melody: (samples,) at the codec's rate; raises as ``read_continued``."""
    return heard_melody(resample(to_mono(_read("melody", path)), architecture.codec.sample_rate).samples[0])


def chroma_of_windows(melody: Melody, architecture: Architecture, one_window: bool) -> ChromaOfWindow:
    """Return what tells each window its stretch of the melody; a piece of one window takes it from its beginning."""
    if one_window:
        heard = chromagram(melody, architecture)
        return lambda _: heard
    rate, seconds = architecture.codec.sample_rate, architecture.window_seconds
    return lambda window: chromagram(
        melody_window(melody, rate, window.start / architecture.frame_rate, seconds), architecture
    )


def _read(field: str, path: Path) -> Audio:
    sound = read_audio(path, LIMITS)
    if not MIN_SECONDS <= sound.duration <= MAX_DURATION_SECONDS:
        limits = f"{MIN_SECONDS:g} to {MAX_DURATION_SECONDS:g} s"
        raise InvalidRequest(field, f"{path} must be {limits} long, it is {sound.duration:.4g} s")
    return sound
