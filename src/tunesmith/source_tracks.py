"""Tracks to generate again or to change: from the prompt log, or from a sound file that holds its request."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio.edits import EDIT, SOURCE, edits_of
from tunesmith.audio.formats import FORMATS
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError, InvalidRequest, TrackNotFound
from tunesmith.files import file_sha256
from tunesmith.library.prompt_log import prompt_log
from tunesmith.request import LOCKS, GenerationRequest

if TYPE_CHECKING:
    from tunesmith.library.tracks import Track, Tracks


NOTATED = (".yaml", ".yml", ".mid", ".midi")
"""The suffixes of scores and of MIDI files."""

ARRANGED = "arrange"
"""The name of the edit that arranges the tune of a MIDI file."""

RENDERED = "render"
"""The name of the edit that plays a score."""


@dataclass(frozen=True, slots=True)
class SourceTrack:
    """A track: its request, the format, digest and metadata of its file, and its id in the log."""

    request: GenerationRequest
    suffix: str
    digest: str | None
    metadata: Mapping[str, Any]
    version: str | None = None
    track: str | None = None


def is_file_name(name: str) -> bool:
    """Return whether a name is that of a file; a track's id has no suffix, so a name with one need not exist."""
    return bool(Path(name).suffix) or Path(name).exists()


def find_source_track(name: str, settings: Settings) -> SourceTrack:
    """Find a track by its id or by a sound file; raises TrackNotFound, AudioFileError and InvalidRequest."""
    check_no_score(name)
    return _of_file(Path(name), settings) if is_file_name(name) else _of_track(name, settings)


def find_logged_track(name: str, log: Tracks) -> Track:
    """Return the track in the log of an id or of a sound file; raises TrackNotFound and AudioFileError."""
    from tunesmith.audio.reader import read_metadata

    check_no_score(name)
    if not is_file_name(name):
        return log.get(name)
    # Raises in one line for what is no sound file.
    read_metadata(Path(name))
    found = log.of_digest(file_sha256(Path(name)))
    if found is None:
        raise TrackNotFound(name, "no track in the prompt log has this file")
    return found


def check_no_score(name: str) -> None:
    """Raise InvalidRequest for the name of a score or a MIDI file, which is no sound and no track."""
    if Path(name).suffix.lower() in NOTATED:
        problem = f"{name} is a score, not a sound file or a track; change it with tunesmith score edit"
        raise InvalidRequest("file", f"{problem}, play it with tunesmith render")


def origin_of(path: Path) -> Mapping[str, Any]:
    """Return the metadata of a file that holds its request; raises AudioFileError, and InvalidRequest without one."""
    from tunesmith.audio.reader import read_metadata

    metadata = read_metadata(path)
    check_repeatable(metadata)
    # A stitched file has no single request to repeat.
    if parts := parts_of(metadata):
        problem = f"{path} was stitched from {len(parts)} files; tunesmith show lists the request of each"
        raise InvalidRequest("file", problem)
    if not isinstance(metadata.get("request"), dict):
        raise InvalidRequest("file", f"{path} has no metadata of its request")
    return metadata


def parts_of(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the metadata of the sounds in a stitched file, in order; empty for any other file."""
    parts = metadata.get("stitched")
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def check_repeatable(metadata: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for an arranged MIDI file and a rendered score: their request is that of another piece."""
    for step in edits_of(metadata):
        source = step.get(SOURCE)
        file = str(source.get("name"))[:80] if isinstance(source, Mapping) else "FILE"
        if step.get(EDIT) == ARRANGED:
            again = f"arrange it again, -n 5 for variations: tunesmith PROMPT --midi-in {file}"
            raise InvalidRequest("midi_in", f"an arrangement does not hold the tune of {file}; {again}")
        if step.get(EDIT) == RENDERED:
            change = f"change that score: tunesmith score edit {file} -o FILE, then tunesmith render"
            raise InvalidRequest("score", f"this was rendered from {file}, and no prompt makes it again; {change}")


def request_of(metadata: Mapping[str, Any]) -> GenerationRequest:
    """Return the request in the metadata of generated music; raises InvalidRequest."""
    fields = {"model": metadata.get("model", "composer"), "seed": metadata.get("seed"), **metadata["request"]}
    return GenerationRequest.checked(**fields)


def with_lock_seeds(fields: Mapping[str, Any], request: GenerationRequest) -> dict[str, Any]:
    """Return fields with the seeds of ``request`` for locks that are given by name: ``melody`` is ``melody=7``."""
    locks = fields.get("lock")
    if not isinstance(locks, list | tuple):
        return dict(fields)
    named = [lock for lock in locks if isinstance(lock, str) and lock.strip().lower() in LOCKS]
    others = [lock for lock in locks if lock not in named]
    return {**fields, "lock": [*request.keeping(named).lock, *others]}


def _of_file(path: Path, settings: Settings) -> SourceTrack:
    metadata = origin_of(path)
    suffix = path.suffix.lower() if path.suffix.lower() in FORMATS else ".wav"
    digest, track = file_sha256(path), None
    # Without a log a change has no parent, and everything else works.
    if settings.prompt_log:
        with suppress(DatabaseError), prompt_log(settings) as log:
            found = log.of_digest(digest)
            track = found.id if found else None
    return SourceTrack(request_of(metadata), suffix, digest, metadata, track=track)


def _of_track(track_id: str, settings: Settings) -> SourceTrack:
    with prompt_log(settings) as log:
        track = log.get(track_id)
    file = track.generation.file
    suffix = f".{file.format}" if file else ".wav"
    # Edits of files from elsewhere are logged without a request.
    if not track.generation.request:
        raise InvalidRequest(
            "id", f"{track.id} cannot be generated again: it is an edit of a file that is not from Tunesmith"
        )
    check_repeatable(track.generation.metadata)
    request = GenerationRequest.checked(**track.generation.request)
    return SourceTrack(
        request, suffix, file.digest if file else None, track.generation.metadata, track.version, track.id
    )
