"""Reading sound files and their metadata."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.audio.buffer import Audio
from tunesmith.audio.decoder import LOCAL_LIMITS, DecodeError, Decoder, LimitExceeded, NotASound, SoundLimits
from tunesmith.audio.spool import Spool
from tunesmith.audio.tags import metadata_of, read_file_metadata, tags_from
from tunesmith.errors import AudioFileError

KNOWN = "WAV, AIFF, FLAC, MP3, Ogg and Opus, and with FFmpeg M4A, WebM, 3GP, AMR and WMA"
UNKNOWN = ("Format not recognised", "File does not exist or is not a regular file")
"""libsndfile's messages for a file that is not audio, or of an unknown format."""


def read_audio(path: str | Path, limits: SoundLimits = LOCAL_LIMITS) -> Audio:
    """Read a sound file with its metadata; long sounds stay on disk.

    The file is read to its end, whatever length its header states. Raises AudioFileError if it cannot be read or
    exceeds the limits.
    """
    with _explained(path), Path(path).open("rb") as file, Decoder(file, limits) as sound:
        spool = Spool(sound.channels)
        for block in sound.blocks():
            spool.append(block)
        return Audio(spool, sound.sample_rate, _metadata(Path(path), sound), sound.sample_format)


def read_metadata(path: str | Path) -> Mapping[str, Any]:
    """Return the metadata of a file; its ``tags`` are those that other programs wrote.

    Raises AudioFileError if the file cannot be read.
    """
    with _explained(path), Path(path).open("rb") as file, Decoder(file) as sound:
        return _metadata(Path(path), sound)


def _metadata(path: Path, sound: Decoder) -> dict[str, Any]:
    """Return the metadata of a file; for formats that the tag reader does not support, the decoder's tags."""
    return read_file_metadata(path, sound.sample_rate) or metadata_of(tags_from(sound.tags().items()))


@contextmanager
def _explained(path: str | Path) -> Iterator[None]:
    try:
        yield
    except LimitExceeded as error:
        raise AudioFileError(f"cannot read {path}: it {error}") from error
    except (DecodeError, OSError) as error:
        raise AudioFileError(f"cannot read {path}: {_reason(path, error)}") from error


def _reason(path: str | Path, error: Exception) -> str:
    # libsndfile has one message for most of these cases, so find the cause here.
    place = Path(path)
    if not place.exists():
        return "file not found"
    if place.is_dir():
        return "it is a folder"
    if not os.access(place, os.R_OK):
        return "no permission"
    if place.stat().st_size == 0:
        return "it is empty"
    if isinstance(error, NotASound):
        return str(error)
    text = str(getattr(error, "strerror", None) or error)
    if text.startswith(UNKNOWN):
        return f"not audio, or an unsupported format (supported: {KNOWN})"
    return f"it is damaged or cut off ({text.removeprefix('Error : ')})"
