"""Files of a track besides its own: another format, another intensity, stems of the finished mix."""

from __future__ import annotations

from pathlib import Path

from fastapi.responses import FileResponse

from tunesmith.audio.formats import FORMATS
from tunesmith.errors import InvalidRequest, TrackNotFound
from tunesmith.fields import shown
from tunesmith.generator import EXPORTS
from tunesmith.jobs.results import ResultFiles
from tunesmith.library.tracks import Track
from tunesmith.server.sound_edits import SoundEdits, edit_folder, sent_once


def path_of_file(track: Track, results: ResultFiles) -> Path:
    """Return the path of a track's own file. Raises TrackNotFound if it is no longer kept."""
    file = track.generation.file
    path = None if file is None else results.find(file.digest)
    if path is None:
        raise TrackNotFound(track.id, "its file is no longer kept")
    return path


def sound_path(track: Track, results: ResultFiles) -> Path:
    """Return the path of a track's sound. Raises TrackNotFound if its file holds none, or is no longer kept."""
    file = track.generation.file
    if file is not None and file.format in EXPORTS:
        raise TrackNotFound(track.id, f"its file is {file.format}, which holds no sound")
    return path_of_file(track, results)


def check_format(name: str) -> str:
    """Return the name of a sound format. Raises InvalidRequest."""
    if f".{name}" not in FORMATS:
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        raise InvalidRequest("format", f"must be one of {known}, got {shown(name)}")
    return name


async def converted(path: Path, name: str, kind: str, edits: SoundEdits) -> FileResponse:
    """Return a sound file in another format, under ``name``, with its metadata."""
    async with edit_folder() as folder:
        output = folder / f"{name}.{kind}"
        await edits.run("convert", [path], output)
    return sent_once(output)
