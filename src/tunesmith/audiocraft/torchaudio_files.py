"""The functions for sound files of torchaudio, for scripts that import it where it is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tunesmith.audiocraft.arrays import Tensor, to_samples
from tunesmith.audiocraft.data.audio import audio_info, audio_read
from tunesmith.audiocraft.errors import ArgumentError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")


@dataclass(frozen=True, slots=True)
class AudioMetaData:
    """The sample rate in Hz, the number of samples per channel and of channels of a sound file."""

    sample_rate: int
    num_frames: int
    num_channels: int


def load(
    uri: str | Path, frame_offset: int = 0, num_frames: int = -1, normalize: bool = True, channels_first: bool = True,
) -> tuple[Tensor, int]:  # fmt: skip
    """Read a sound file: (channels, samples) in float32, and the sample rate in Hz. See ``audio_read``."""
    if not normalize:
        raise ArgumentError("normalize", "must be true: samples are floating-point; install torchaudio for others")
    samples, rate = audio_read(uri)
    stop = None if num_frames < 0 else frame_offset + num_frames
    chosen = samples[:, frame_offset:stop]
    return (chosen if channels_first else chosen.T), rate


def save(uri: str | Path, src: Tensor, sample_rate: int, channels_first: bool = True) -> None:
    """Write audio (channels, samples) to a file in the format of its suffix, as it is, clipped at full scale."""
    from tunesmith.audio.plain_writer import write_plain

    samples, path = to_samples(src, "src"), Path(uri)
    if samples.ndim != 2:
        raise ArgumentError("src", f"must have 2 dimensions, got the shape {samples.shape}")
    if path.suffix not in SUFFIXES:
        raise ArgumentError("uri", f"must end in {', '.join(SUFFIXES)}, got {path.name!r}")
    write_plain(samples if channels_first else samples.T, sample_rate, path, path.suffix)


def info(uri: str | Path) -> AudioMetaData:
    """Return what a sound file holds. See ``audio_info``."""
    about = audio_info(uri)
    return AudioMetaData(about.sample_rate, round(about.duration * about.sample_rate), about.channels)


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"torchaudio.{name}: only load, save and info are here; pip install torchaudio")
