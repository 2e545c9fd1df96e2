"""Writing of plain sound files: samples at a given bit rate, without dither, tags or a suffix that must fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Audio
from tunesmith.audio.formats import FORMATS, Format
from tunesmith.audio.resample import resample
from tunesmith.audio.spool import Samples
from tunesmith.audio.writer import FRAMES, to_int24, writer_error
from tunesmith.files import atomic_output
from tunesmith.plain_text import library_path

MP3_KILOBITS = ((32_000, 32, 320), (16_000, 8, 160), (0, 8, 64))
"""The lowest and highest bit rates of MP3 from a sample rate on (MPEG-1, -2 and -2.5)."""
# Six halvings come within 1/64 of the quality scale; each of them encodes the whole sound.
SEARCH_STEPS = 6


@dataclass(frozen=True, slots=True)
class _Compression:
    """libsndfile's level of compression, 0 to 1, and whether the bit rate is constant; None is its default."""

    level: float | None = None
    constant: bool = False


def write_plain(
    samples: Samples, sample_rate: int, path: Path, suffix: str, kilobits_per_second: int | None = None
) -> Path:
    """Write samples (channels, n) to ``path`` in the format of ``suffix``: .wav (16 bits), .flac (24), .mp3 or .ogg.

    ``kilobits_per_second`` is the bit rate of MP3, to the nearest one that it has, and the mean bit rate of Vorbis, as
    near as its quality scale comes. Rates that MP3 does not have are resampled. Raises InvalidRequest for too many
    channels, AudioFileError if the file cannot be written.
    """
    target = FORMATS[suffix]
    target.check_channels(len(samples))
    rate = target.sample_rate(sample_rate)
    frames = np.ascontiguousarray(resample(Audio(samples, sample_rate), rate).samples.T)
    with atomic_output(path) as temporary, writer_error(path):
        if suffix == ".ogg" and kilobits_per_second is not None:
            _write_at_mean(frames, rate, temporary, target, kilobits_per_second)
        else:
            is_mp3 = suffix == ".mp3" and kilobits_per_second is not None
            compression = _mp3_compression(rate, kilobits_per_second or 0) if is_mp3 else _Compression()
            _encode(frames, rate, temporary, target, compression)
    return path


def _mp3_compression(rate: int, kilobits: int) -> _Compression:
    """Return the level whose constant bit rate is this one: libsndfile divides the range of the rates evenly."""
    lowest, highest = next((low, high) for least, low, high in MP3_KILOBITS if rate >= least)
    return _Compression(min(1.0, max(0.0, (highest - kilobits) / (highest - lowest))), constant=True)


def _write_at_mean(frames: Samples, rate: int, path: Path, target: Format, kilobits: int) -> None:
    """Search the quality of Vorbis by bisection; the last file written is the nearest one."""
    # A kilobit is 125 bytes.
    wanted = kilobits * 125 * len(frames) / rate
    low, high = 0.0, 1.0
    sizes: dict[float, int] = {}
    for _ in range(SEARCH_STEPS):
        level = (low + high) / 2
        _encode(frames, rate, path, target, _Compression(level))
        sizes[level] = path.stat().st_size
        # A higher level means a smaller file.
        low, high = (level, high) if sizes[level] > wanted else (low, level)
    nearest = min(sizes, key=lambda level: abs(sizes[level] - wanted))
    if nearest != level:
        _encode(frames, rate, path, target, _Compression(nearest))


def _encode(frames: Samples, rate: int, path: Path, target: Format, compression: _Compression) -> None:
    import soundfile

    subtype = target.subtypes.get(0) or target.subtype(24 if target.container == "FLAC" else 16)
    options: dict[str, Any] = {} if compression.level is None else {"compression_level": compression.level}
    if compression.constant:
        options["bitrate_mode"] = "CONSTANT"
    sound = soundfile.SoundFile(
        library_path(path), "w", samplerate=rate, channels=frames.shape[1], format=target.container, subtype=subtype,
        **options,
    )  # fmt: skip
    with sound:
        for start in range(0, len(frames), FRAMES):
            sound.write(_stored(frames[start : start + FRAMES], subtype))


def _stored(frames: Samples, subtype: str) -> npt.NDArray[np.generic]:
    if subtype == "PCM_16":
        steps: npt.NDArray[np.generic] = np.clip(np.rint(frames * np.float32(2**15)), -(2**15), 2**15 - 1)
        return steps.astype(np.int16)
    return to_int24(frames) if subtype == "PCM_24" else frames
