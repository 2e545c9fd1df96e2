"""Every error that Tunesmith raises on purpose, with its code for APIs, HTTP status and exit code.

``code`` is the name of the error in the APIs and in the database's record of a failed job: it stays the same when a
class is renamed. ``status`` is the HTTP status. ``retryable`` means that the same request may succeed later.

Errors that only an HTTP request can cause are in ``server/errors.py``. There is also one warning, AudioFileWarning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from tunesmith.suggestions import LONGEST, near_names

INTERNAL_ERROR = "InternalError"
"""The code of a bug: of every exception that is not a TunesmithError."""

BUG_MESSAGE = "internal error; see the server's log"
"""What a caller reads of a bug; the traceback goes to the log."""

_BY_CODE: dict[str, type[TunesmithError]] = {}


class TunesmithError(Exception):
    """The root of all errors. ``str(error)`` is one clear line for users; ``exit_code`` is that of the command.

    A subclass sets ``code``, ``status`` and ``retryable`` by class keywords; it inherits ``status`` and ``retryable``.
    ``retry_after`` is in seconds; ``headers`` are added to the HTTP response.
    """

    code: ClassVar[str] = INTERNAL_ERROR
    status: int = 500
    retryable: ClassVar[bool] = False
    exit_code = 1
    retry_after: float | None = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init_subclass__(
        cls, *, code: str | None = None, status: int | None = None, retryable: bool | None = None, **others: Any
    ) -> None:
        super().__init_subclass__(**others)
        cls.code = cls.__name__ if code is None else code
        cls.status = cls.status if status is None else status
        cls.retryable = cls.retryable if retryable is None else retryable
        _BY_CODE.setdefault(cls.code, cls)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the parts for pickling without the constructor, which for most errors does not take the message."""
        return _as_it_was, (type(self), self.args), self.__dict__


def _as_it_was(kind: type[TunesmithError], message: tuple[object, ...]) -> TunesmithError:
    # Exceptions take their message in __new__, so the constructor can be skipped.
    return kind.__new__(kind, *message)


def error_codes() -> frozenset[str]:
    """Return the codes of all errors."""
    return frozenset(_BY_CODE)


def error_with_code(code: str) -> type[TunesmithError]:
    """Return the error class with a code; TunesmithError for an unknown code."""
    return _BY_CODE.get(code, TunesmithError)


class InvalidRequest(TunesmithError, code="InvalidRequest", status=422):
    """A field of the request violates its limit."""

    exit_code = 2

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownName(InvalidRequest, code="UnknownName", status=404):
    """A name is unknown; the message suggests the nearest known ones."""

    def __init__(self, field: str, name: str, known: Iterable[str]) -> None:
        nearest = near_names(name, known, limit=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(field, f"there is no {field} called {name[:LONGEST]!r}{hint}")
        # Only an unknown model is a missing resource; any other name is an invalid value.
        if field != "model":
            self.status = InvalidRequest.status
        self.name = name
        self.nearest = tuple(nearest)


class IdempotencyConflict(InvalidRequest, code="IdempotencyConflict", status=409):
    """An idempotency key is reused with a different request."""

    def __init__(self, key: str) -> None:
        super().__init__("idempotency_key", f"{key!r} was already used for another request")


class InvalidScore(TunesmithError, code="InvalidScore"):
    """A score document is invalid. ``line`` is 1-based; ``part`` and ``beat`` are None if they do not apply."""

    exit_code = 2

    def __init__(
        self, problem: str, *, line: int | None = None, part: str | None = None, beat: str | None = None
    ) -> None:
        places = [("line", line), ("part", part), ("beat", beat)]
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        super().__init__(f"score: {where}: {problem}" if where else f"score: {problem}")
        self.problem = problem
        self.line = line
        self.part = part
        self.beat = beat


class AudioFileError(TunesmithError, code="AudioFileError", status=422):
    """A sound file cannot be read or written."""

    exit_code = 2


class AudioFileWarning(UserWarning):
    """A sound file was written with a loss: clipped samples, or a lower bit depth."""


class DiskFull(AudioFileError, code="DiskFull", status=507):
    """A file does not fit on the disk; no part of it remains."""


class SoundFontError(TunesmithError, code="SoundFontError"):
    """A SoundFont is damaged or lacks a requested sound."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"soundfont: {problem}")


class ModelNotInstalled(TunesmithError, code="ModelNotInstalled", status=404):
    """The model exists but is not installed; the message names the command that installs it."""

    exit_code = 2


class ModelFileError(TunesmithError, code="ModelFileError"):
    """A model file is missing, damaged or of an unsupported format."""

    exit_code = 2

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"model file {file}: {problem}")
        self.file = file
        self.problem = problem


class DownloadError(TunesmithError, code="DownloadError"):
    """A model repository is unreachable, does not exist, or denies access."""

    def __init__(self, repository: str, problem: str) -> None:
        super().__init__(f"cannot download {repository}: {problem}")
        self.repository = repository
        self.problem = problem


class DatabaseError(TunesmithError, code="DatabaseError", status=503, retryable=True):
    """The database is damaged, locked, newer than this version or unreachable; it is left unchanged.

    A retry may succeed after ``retry_after`` whole seconds, unless that is None.
    """

    retry_after: float | None = 30

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"database {where}: {problem}")
        self.problem = problem


class DatabaseBusy(DatabaseError, code="DatabaseBusy"):
    """Others lock the database for too long; a retry may succeed after ``retry_after`` whole seconds."""

    retry_after = 5


class DatabaseOutOfReach(DatabaseBusy, code="DatabaseOutOfReach"):
    """The database server does not respond, as during a restart; ``problem`` does not reveal its address."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, f"cannot be reached: {problem}")
        # Shown to callers of the API, so it must not contain the server's address.
        self.problem = "cannot be reached; try again later"


class DatabaseFull(DatabaseError, code="DatabaseFull", status=507, retryable=False):
    """The database cannot grow, because the disk is full."""

    retry_after = None


class DatabaseDamaged(DatabaseError, code="DatabaseDamaged"):
    """The database file is damaged."""


class DatabaseGone(DatabaseError, code="DatabaseGone"):
    """The database file was removed or replaced while open; writes to the old one would be lost."""


class FolderUnavailable(TunesmithError, code="FolderUnavailable", status=503, retryable=True):
    """A folder cannot be created or written to; ``problem`` does not reveal its path."""

    retry_after = 30

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"folder {folder} cannot be used: {reason}")
        # Shown to callers of the API, so it has only the name of the folder, not its path.
        self.problem = f"folder {folder.name} cannot be used: {reason}"


class JobNotFound(TunesmithError, code="JobNotFound", status=404):
    """No job has this id."""

    exit_code = 2

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:80]!r}")


class TrackNotFound(TunesmithError, code="TrackNotFound", status=404):
    """No track in the prompt log has this id."""

    exit_code = 2

    def __init__(self, track_id: str, problem: str = "not in the prompt log") -> None:
        super().__init__(f"track {track_id[:80]!r}: {problem}")


class OutOfResources(TunesmithError, code="OutOfResources", status=503, retryable=True):
    """There is not enough disk space or memory; raised before the work starts."""


class RateLimited(TunesmithError, code="RateLimited", status=429, retryable=True):
    """The caller exceeds its rate limit; it may retry after ``retry_after`` whole seconds."""

    retry_after: int

    def __init__(self, allowed: str, retry_after: int) -> None:
        super().__init__(f"limit of {allowed} reached; try again in {retry_after} s")
        self.allowed = allowed
        self.retry_after = retry_after


class QueueFull(TunesmithError, code="QueueFull", status=503, retryable=True):
    """The queue is full; a retry may succeed after ``retry_after`` whole seconds, None if unknown."""

    def __init__(self, num_waiting: int, retry_after: int | None = None) -> None:
        when = "later" if retry_after is None else f"in {retry_after} s"
        super().__init__(f"the queue is full: {num_waiting} requests are waiting; try again {when}")
        self.num_waiting = num_waiting
        self.retry_after = retry_after


class LiveStreamsFull(TunesmithError, code="LiveStreamsFull", status=429, retryable=True):
    """There are as many live streams as the server, the caller or the model may have."""

    retry_after = 10


class ServerStopping(TunesmithError, code="ServerStopping", status=503, retryable=True):
    """The server is stopping; the job that the caller follows continues when a server runs again."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__("the server is stopping; try again in a few seconds")


class GenerationCancelled(TunesmithError, code="GenerationCancelled", status=499):
    """The caller cancelled the generation."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")


class ApiError(TunesmithError, code="ApiError", status=502):
    """A remote server rejected a request: its HTTP ``status``, its error name ``kind``, the invalid ``field``."""

    def __init__(self, message: str, *, status: int, kind: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.field = field
        if field is not None:
            self.exit_code = 2


class TokenRefused(ApiError, code="TokenRefused"):
    """The token is missing or invalid, or lacks the permission."""


class NotFound(ApiError, code="NotFound"):
    """The server has no such job, track or model."""


class ServerBusy(ApiError, code="ServerBusy", status=503, retryable=True):
    """The server has too many requests or a full queue; ``retry_after`` is in seconds, None if unknown."""

    def __init__(
        self, message: str, *, status: int, kind: str = "", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, kind=kind, field=field)
        self.retry_after = retry_after


class GenerationFailed(TunesmithError, code="GenerationFailed", status=502):
    """A remote server failed to generate the music; ``kind`` is its error name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ServerUnreachable(TunesmithError, code="ServerUnreachable", status=502):
    """The server does not respond."""


class DeadlineExceeded(TunesmithError, code="DeadlineExceeded", status=504):
    """The operation took longer than the client's deadline."""


class TaskFailed(TunesmithError, code="TaskFailed"):
    """A task failed in its runner. ``kind`` is the code of the error; ``is_mistake`` if the request is at fault.

    ``trace`` is the traceback of a bug, for the log only.
    """

    def __init__(self, kind: str, message: str, *, is_mistake: bool, trace: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.is_mistake = is_mistake
        self.trace = trace


class RunnerCrashed(TunesmithError, code="RunnerCrashed"):
    """The runner process of a task exited, or was killed because it did not respond; a retry may succeed."""


class PlaybackError(TunesmithError, code="PlaybackError"):
    """The sound cannot be played on this machine."""


class InvalidItem(TunesmithError, code="Mistake"):
    """A batch item fails because of its request; a retry would not help."""
