"""Every error Tunesmith raises on purpose.

The tree::

    TunesmithError
    ├── InvalidRequest      the caller asked for something that cannot be: names field, limit and value
    │   ├── IdempotencyConflict   a key that was used before comes with another request
    │   └── UnknownName     a genre, instrument, model … that does not exist; suggests the nearest
    ├── InvalidScore        a score file has a mistake: names line, part and beat
    ├── AudioFileError      a sound file cannot be read or written
    │   └── DiskFull        it does not fit onto the disk, and no part of it is left there
    ├── SoundFontError      a sound bank is broken or lacks what was asked of it
    ├── ModelNotInstalled   the model exists but is not on this machine
    ├── ModelFileError      a model's file is missing, broken or of a kind that is not read: names file and field
    ├── DownloadError       a repository cannot be reached, read or found: names it and says why
    ├── DatabaseError       the database is damaged, newer than this version or out of reach
    │   ├── DatabaseBusy    others hold it for longer than one can wait: try again later
    │   │   └── DatabaseOutOfReach   its server does not answer
    │   ├── DatabaseFull    it cannot grow, because the disk is full
    │   ├── DatabaseDamaged its file is damaged: what it holds cannot be read, and nothing is written to it
    │   └── DatabaseGone    its file was removed or replaced while it was open: nothing is written to it
    ├── FolderUnavailable   a folder of the server's is missing or cannot be written to: names it
    ├── JobNotFound         there is no job with that id
    ├── TrackNotFound       there is no track with that id in the prompt log
    ├── OutOfResources      there is not enough disk or memory: names what is needed and what there is
    ├── RateLimited         the caller has asked for more than it may: says when to come back
    ├── QueueFull           so many requests wait already that no more are taken: says when to come back
    ├── ApiError            a server that this client called refused: has status, kind and field
    │   ├── TokenRefused    the token is missing, wrong, or not enough (401, 403)
    │   ├── NotFound        there is no such job, track or model there (404)
    │   └── ServerBusy      too many requests, or the queue is full (429, 503): says when to come back
    ├── GenerationFailed    a server that this client called could not make the music: has kind
    ├── ServerUnreachable   there is no answer from the server
    ├── DeadlineExceeded    it took longer than the client was told to wait
    └── GenerationCancelled the caller cancelled while the music was being made

Beside it stands one warning, AudioFileWarning: a sound file was written, and something of the sound was lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tunesmith.suggestions import LONGEST, near_names


class TunesmithError(Exception):
    """Root of the tree. ``str(error)`` is one clear line fit to show a user; ``exit_code`` is the shell's."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and sent between processes, though the constructors of most kinds do not take the message."""
        return _as_it_was, (type(self), self.args), self.__dict__


def _as_it_was(kind: type[TunesmithError], message: tuple[object, ...]) -> TunesmithError:
    return kind.__new__(kind, *message)


class InvalidRequest(TunesmithError):
    """A field of the request breaks its limit."""

    exit_code = 2

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownName(InvalidRequest):
    """A name that is not in the table it was looked up in."""

    def __init__(self, field: str, name: str, known: Iterable[str]) -> None:
        nearest = near_names(name, known, limit=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(field, f"there is no {field} called {name[:LONGEST]!r}{hint}")
        self.name = name
        self.nearest = tuple(nearest)


class IdempotencyConflict(InvalidRequest):
    """An idempotency key that was used before comes with another request."""

    def __init__(self, key: str) -> None:
        super().__init__("idempotency_key", f"{key!r} was used before for another request")


class InvalidScore(TunesmithError):
    """A score document has a mistake. ``line`` is 1-based; ``part`` and ``beat`` are None where they do not apply."""

    exit_code = 2

    def __init__(
        self, problem: str, *, line: int | None = None, part: str | None = None, beat: str | None = None
    ) -> None:
        places = [("line", line), ("part", part), ("beat", beat)]
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        super().__init__(f"score: {where}: {problem}" if where else f"score: {problem}")
        self.line = line
        self.part = part
        self.beat = beat


class AudioFileError(TunesmithError):
    """A sound file cannot be read or written."""

    exit_code = 2


class AudioFileWarning(UserWarning):
    """A sound file was written, and something of the sound was lost: samples above full scale, or bits."""


class DiskFull(AudioFileError):
    """A file does not fit onto the disk; no part of it is left there."""


class SoundFontError(TunesmithError):
    """A sound bank is broken or lacks what was asked of it."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"soundfont: {problem}")


class ModelNotInstalled(TunesmithError):
    """The model exists but is not on this machine; the message names the command that installs it."""

    exit_code = 2


class ModelFileError(TunesmithError):
    """A model's file is missing, broken or of a kind that is not read."""

    exit_code = 2

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"model file {file}: {problem}")
        self.file = file
        self.problem = problem


class DownloadError(TunesmithError):
    """A repository of models cannot be reached, is not there, or is not open to this user."""

    def __init__(self, repository: str, problem: str) -> None:
        super().__init__(f"cannot download {repository}: {problem}")
        self.repository = repository
        self.problem = problem


class DatabaseError(TunesmithError):
    """The database is damaged, locked, newer than this version or out of reach; it is left as it was.

    It may be there again after ``retry_after`` whole seconds, where that is not None.
    """

    retry_after: int | None = 30

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"database {where}: {problem}")
        self.problem = problem


class DatabaseBusy(DatabaseError):
    """Others hold the database for longer than one can wait; after ``retry_after`` whole seconds they may be done."""

    retry_after = 5


class DatabaseOutOfReach(DatabaseBusy):
    """The database's server does not answer, as while it starts again; ``problem`` tells nothing of where it is."""

    def __init__(self, where: str, said: str) -> None:
        super().__init__(where, f"cannot be reached: {said}")
        self.problem = "cannot be reached at the moment; try again later"


class DatabaseFull(DatabaseError):
    """The database cannot grow, because the disk is full."""

    retry_after = None


class DatabaseDamaged(DatabaseError):
    """The database's file is damaged."""


class DatabaseGone(DatabaseError):
    """The database's file was removed or replaced while it was open; what is written to the old one would be lost."""


class FolderUnavailable(TunesmithError):
    """A folder is missing and cannot be made, or cannot be written to; ``problem`` tells nothing of where it is."""

    retry_after = 30

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"folder {folder} cannot be used: {reason}")
        self.problem = f"folder {folder.name} cannot be used: {reason}"


class JobNotFound(TunesmithError):
    """There is no job with that id."""

    exit_code = 2

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:80]!r}")


class TrackNotFound(TunesmithError):
    """There is no track with that id in the prompt log."""

    exit_code = 2

    def __init__(self, track_id: str, problem: str = "there is none in the prompt log") -> None:
        super().__init__(f"track {track_id[:80]!r}: {problem}")


class OutOfResources(TunesmithError):
    """There is not enough disk or memory; found out before the work starts."""


class RateLimited(TunesmithError):
    """The caller has asked for more than it may; after ``retry_after`` whole seconds it may ask again."""

    def __init__(self, allowed: str, retry_after: int) -> None:
        super().__init__(f"no more than {allowed}; try again in {retry_after} s")
        self.allowed = allowed
        self.retry_after = retry_after


class QueueFull(TunesmithError):
    """So many requests wait already that no more are taken; ``retry_after`` whole seconds may help, if known."""

    def __init__(self, num_waiting: int, retry_after: int | None = None) -> None:
        when = "later" if retry_after is None else f"in {retry_after} s"
        super().__init__(f"the queue is full: {num_waiting} requests are waiting; try again {when}")
        self.num_waiting = num_waiting
        self.retry_after = retry_after


class GenerationCancelled(TunesmithError):
    """The caller cancelled while the music was being made."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")


class ApiError(TunesmithError):
    """A server that this client called refused: ``status`` of HTTP, ``kind`` (an error's name), ``field`` to blame."""

    def __init__(self, message: str, *, status: int, kind: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.field = field
        if field is not None:
            self.exit_code = 2


class TokenRefused(ApiError):
    """The token is missing, wrong, or not enough."""


class NotFound(ApiError):
    """There is no such job, track or model on the server."""


class ServerBusy(ApiError):
    """Too many requests, or the queue is full; ``retry_after`` seconds if the server says."""

    def __init__(
        self, message: str, *, status: int, kind: str = "", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, kind=kind, field=field)
        self.retry_after = retry_after


class GenerationFailed(TunesmithError):
    """A server that this client called could not make the music; ``kind`` is the error's name there."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ServerUnreachable(TunesmithError):
    """There is no answer from the server."""


class DeadlineExceeded(TunesmithError):
    """It took longer than the client was told to wait."""
