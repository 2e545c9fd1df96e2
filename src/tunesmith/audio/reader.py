"""Reading sound files, and what they say about themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.audio.buffer import Audio
from tunesmith.audio.spool import Spool
from tunesmith.audio.tags import metadata_of, read_id3_tag, read_info_chunk
from tunesmith.errors import AudioFileError

FRAMES = 65_536


def read_audio(path: str | Path) -> Audio:
    """Read a sound file with its metadata; long sounds stay on disk. Raises AudioFileError when it cannot be read."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as sound:
            spool = Spool(sound.channels)
            while len(frames := sound.read(FRAMES, dtype="float32", always_2d=True)):
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


def _reason(path: str | Path, error: Exception) -> str:
    if not Path(path).exists():
        return "there is no such file"
    return getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
