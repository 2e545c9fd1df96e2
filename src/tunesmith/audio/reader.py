"""Reading sound files, and what they say about themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.audio.spool import Samples, Spool
from tunesmith.audio.tags import metadata_of, read_id3_tag, read_info_chunk
from tunesmith.errors import AudioFileError

FRAMES = 65_536
UNKNOWN = ("Format not recognised", "File does not exist or is not a regular file")
"""What libsndfile says of a file that is no sound, or of a kind it does not know."""


def read_audio(path: str | Path) -> Audio:
    """Read a sound file with its metadata; long sounds stay on disk. Raises AudioFileError when it cannot be read."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            spool = Spool(sound.channels)
            while len(frames := sound.read(FRAMES, dtype="float32", always_2d=True)):
                _check_numbers(path, frames, len(spool) / sound.samplerate)
                spool.append(np.ascontiguousarray(frames.T))
            return Audio(spool, int(sound.samplerate), read_metadata(path))
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(f"cannot read {path}: {_reason(path, error)}") from error


def read_metadata(path: str | Path) -> Mapping[str, Any]:
    """Return the metadata that a file was written with, or the plain tags of a file made elsewhere.

    Raises AudioFileError when the file cannot be read.
    """
    import soundfile

    try:
        with Path(path).open("rb") as file:
            start = file.read(4)
            file.seek(0)
            own = read_info_chunk(file) if start == b"RIFF" else read_id3_tag(file)
        if own:
            return metadata_of(own)
        with soundfile.SoundFile(str(path)) as sound:
            return metadata_of(sound.copy_metadata())
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioFileError(f"cannot read {path}: {_reason(path, error)}") from error


def _check_numbers(path: str | Path, frames: Samples, at: float) -> None:
    """Refuse what files of floating-point numbers may have in them, and no sound can have."""
    if not np.isfinite(frames).all():
        raise AudioFileError(f"cannot read {path}: at {at:.1f} s it has samples that are not numbers (NaN or infinite)")


def _reason(path: str | Path, error: Exception) -> str:
    place = Path(path)
    if not place.exists():
        return "there is no such file"
    if place.is_dir():
        return "it is a folder"
    if not os.access(place, os.R_OK):
        return "no permission"
    if place.stat().st_size == 0:
        return "it is empty"
    said = str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error).rstrip(".")
    if said.startswith(UNKNOWN):
        return "it is no sound, or of a kind that is not known (known are WAV, AIFF, FLAC, MP3, Ogg and Opus)"
    return f"it is damaged or cut off ({said.removeprefix('Error : ')})"
