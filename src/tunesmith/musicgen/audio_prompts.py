"""Audio prompts of a request: a recording to continue, and a melody to follow."""

from __future__ import annotations

from pathlib import Path

from tunesmith.audio import Audio
from tunesmith.audio.decoder import SoundLimits
from tunesmith.audio.edit import to_mono, with_channels
from tunesmith.audio.reader import read_audio
from tunesmith.audio.resample import resample
from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.chroma import SILENCE, Melody, audible_melody, chromagram, melody_window
from tunesmith.musicgen.runner import Samples
from tunesmith.musicgen.sequence import ChromaOfWindow
from tunesmith.request import MAX_DURATION_SECONDS

MIN_SECONDS = 0.1
LIMITS = SoundLimits(channels=64, seconds=MAX_DURATION_SECONDS)


def read_continued(path: Path, architecture: Architecture) -> Samples:
    """Read the recording to continue; return (audio channels, samples) at the codec's rate, a whole number of frames.

    Raises AudioFileError if the file cannot be read, and InvalidRequest if the audio is too long, too short or silent.
    """
    sound = with_channels(_read("audio", path), architecture.audio_channels)
    samples = resample(sound, architecture.codec.sample_rate).samples
    # The maximum and minimum instead of np.abs, which would copy a long recording.
    if max(samples.max(), -samples.min()) < SILENCE:
        raise InvalidRequest("audio", f"{path} is silent; a recording to continue must be audible")
    # The codec encodes whole frames only.
    hop = architecture.codec.hop
    return samples[:, : samples.shape[1] // hop * hop]


def read_melody(path: Path, architecture: Architecture) -> Melody:
    """Read a melody; return (samples,) at the codec's rate. Raises the same errors as ``read_continued``."""
    return audible_melody(resample(to_mono(_read("melody", path)), architecture.codec.sample_rate).samples[0])


def chroma_of_windows(melody: Melody, architecture: Architecture, one_window: bool) -> ChromaOfWindow:
    """Return a function from a window to its chromagram (frames, bins).

    A sequence of one window uses the melody from its start.
    """
    if one_window:
        chroma = chromagram(melody, architecture)
        return lambda _: chroma
    rate, seconds = architecture.codec.sample_rate, architecture.window_seconds
    return lambda window: chromagram(
        melody_window(melody, rate, window.start / architecture.frame_rate, seconds), architecture
    )


def _read(field: str, path: Path) -> Audio:
    sound = read_audio(path, LIMITS)
    if not MIN_SECONDS <= sound.duration <= MAX_DURATION_SECONDS:
        limits = f"{MIN_SECONDS:g} to {MAX_DURATION_SECONDS:g} s"
        raise InvalidRequest(field, f"{path} must be {limits} long, got {sound.duration:.4g} s")
    return sound
