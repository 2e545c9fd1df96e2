"""Reading and writing sound files, as ``audiocraft.data.audio`` has them; without FFmpeg."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunesmith.audiocraft.arrays import Tensor, to_samples, to_tensor
from tunesmith.audiocraft.data.audio_utils import convert_audio as convert_audio
from tunesmith.audiocraft.data.audio_utils import f32_pcm as f32_pcm
from tunesmith.audiocraft.data.audio_utils import normalize_audio as normalize_audio
from tunesmith.audiocraft.errors import ArgumentError, UnsupportedUse

FORMATS = ("wav", "mp3", "ogg", "flac")


@dataclass(frozen=True, slots=True)
class AudioFileInfo:
    """The sample rate in Hz, the duration in seconds and the number of channels of a sound file."""

    sample_rate: int
    duration: float
    channels: int


def audio_info(filepath: str | Path) -> AudioFileInfo:
    """Return what a sound file holds. Raises FileNotFoundError, and AudioFileError if it cannot be read."""
    from tunesmith.audio.reader import read_audio

    audio = read_audio(_existing(filepath))
    return AudioFileInfo(audio.sample_rate, audio.duration, audio.channels)


def audio_read(
    filepath: str | Path, seek_time: float = 0.0, duration: float = -1.0, pad: bool = False
) -> tuple[Tensor, int]:
    """Read a sound file: (channels, samples) in float32, and the sample rate in Hz.

    ``seek_time`` and ``duration`` are in seconds; a negative duration reads to the end, and ``pad`` fills up with
    silence to a duration that the file does not have. Raises FileNotFoundError, AudioFileError if the file cannot be
    read, and ArgumentError for a position past its end.
    """
    from tunesmith.audio.reader import read_audio

    audio = read_audio(_existing(filepath))
    rate = audio.sample_rate
    start = int(seek_time * rate)
    if not 0 <= start < max(1, audio.num_samples):
        raise ArgumentError("seek_time", f"must lie in the {audio.duration:g} s of {filepath}, got {seek_time:g}")
    stop = start + int(duration * rate) if duration > 0 else audio.num_samples
    samples = audio.samples[:, start:stop]
    if pad and stop - start > samples.shape[1]:
        samples = np.pad(samples, ((0, 0), (0, stop - start - samples.shape[1])))
    return to_tensor(samples), rate


def audio_write(
    stem_name: str | Path, wav: Tensor, sample_rate: int,
    format: str = "wav",  # noqa: A002  AudioCraft's name
    mp3_rate: int = 320, ogg_rate: int | None = None, normalize: bool = True, strategy: str = "peak",
    peak_clip_headroom_db: float = 1,
    rms_headroom_db: float = 18, loudness_headroom_db: float = 14, loudness_compressor: bool = False,
    log_clipping: bool = True, make_parent_dir: bool = True, add_suffix: bool = True,
) -> Path:  # fmt: skip
    """Write audio (samples,) or (channels, samples) to a file and return its path: ``stem_name`` and the suffix.

    ``format`` is wav (16 bits), flac (24 bits), mp3 (``mp3_rate`` kbit/s) or ogg (Vorbis, ``ogg_rate`` kbit/s);
    ``strategy`` is that of ``normalize_audio``. The file is complete or not there. Raises ArgumentError, UnsupportedUse
    for another format, and AudioFileError if the file cannot be written.
    """
    from tunesmith.audio.plain_writer import write_plain

    samples = to_samples(wav, "wav")
    if samples.ndim not in (1, 2):
        raise ArgumentError("wav", f"must have 1 or 2 dimensions, got the shape {samples.shape}")
    if format not in FORMATS:
        raise UnsupportedUse("format", f"must be one of {', '.join(FORMATS)}, got {format!r}")
    levelled = normalize_audio(
        np.atleast_2d(samples), normalize, strategy, peak_clip_headroom_db, rms_headroom_db, loudness_headroom_db,
        loudness_compressor, log_clipping, sample_rate, str(stem_name),
    )  # fmt: skip
    path = Path(f"{stem_name}.{format}" if add_suffix else stem_name)
    if make_parent_dir:
        path.parent.mkdir(exist_ok=True, parents=True)
    rate = {"mp3": mp3_rate, "ogg": ogg_rate}.get(format)
    return write_plain(to_samples(levelled, "wav"), int(sample_rate), path, f".{format}", rate)


def _existing(filepath: str | Path) -> Path:
    path = Path(filepath)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path
