"""Every error that Tunesmith raises on purpose, with what the command line and the APIs say of it.

``code`` is what an API calls the error, and what the database keeps of a failed job: it stays as it is when a class is
renamed. ``status`` is the HTTP status. ``retryable`` says that the same request may succeed later.

Errors that only an HTTP request can meet are in ``server/errors.py``. Beside the errors stands one warning,
AudioFileWarning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from tunesmith.suggestions import LONGEST, near_names

INTERNAL_ERROR = "InternalError"
"""The code of a bug, and of all that is no TunesmithError."""

_BY_CODE: dict[str, type[TunesmithError]] = {}


class TunesmithError(Exception):
    """Root of all errors. ``str(error)`` is one clear line fit to show a user; ``exit_code`` is the shell's.

    A subclass names its ``code``, ``status`` and ``retryable`` as keywords of the class; ``status`` and ``retryable``
    are otherwise those of its base. ``retry_after`` is in seconds, ``headers`` go into the HTTP response.
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
        """Be copied and sent between processes, though the constructors of most kinds do not take the message."""
        return _as_it_was, (type(self), self.args), self.__dict__


def _as_it_was(kind: type[TunesmithError], message: tuple[object, ...]) -> TunesmithError:
    return kind.__new__(kind, *message)


def error_codes() -> frozenset[str]:
    """Return the codes of all errors there are."""
    return frozenset(_BY_CODE)


def error_with_code(code: str) -> type[TunesmithError]:
    """Return the class of an error by its code; TunesmithError itself for a code that is not known."""
    return _BY_CODE.get(code, TunesmithError)


class InvalidRequest(TunesmithError, code="InvalidRequest", status=422):
    """A field of the request breaks its limit."""

    exit_code = 2

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class UnknownName(InvalidRequest, code="UnknownName", status=404):
    """A name that is not in the table it was looked up in."""

    def __init__(self, field: str, name: str, known: Iterable[str]) -> None:
        nearest = near_names(name, known, limit=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(field, f"there is no {field} called {name[:LONGEST]!r}{hint}")
        if field != "model":
            self.status = InvalidRequest.status
        self.name = name
        self.nearest = tuple(nearest)


class IdempotencyConflict(InvalidRequest, code="IdempotencyConflict", status=409):
    """An idempotency key that was used before comes with another request."""

    def __init__(self, key: str) -> None:
        super().__init__("idempotency_key", f"{key!r} was used before for another request")


class InvalidScore(TunesmithError, code="InvalidScore"):
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


class AudioFileError(TunesmithError, code="AudioFileError", status=422):
    """A sound file cannot be read or written."""

    exit_code = 2


class AudioFileWarning(UserWarning):
    """A sound file was written, and something of the sound was lost: samples above full scale, or bits."""


class DiskFull(AudioFileError, code="DiskFull", status=507):
    """A file does not fit onto the disk; no part of it is left there."""


class SoundFontError(TunesmithError, code="SoundFontError"):
    """A sound bank is broken or lacks what was asked of it."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"soundfont: {problem}")


class ModelNotInstalled(TunesmithError, code="ModelNotInstalled", status=404):
    """The model exists but is not on this machine; the message names the command that installs it."""

    exit_code = 2


class ModelFileError(TunesmithError, code="ModelFileError"):
    """A model's file is missing, broken or of a kind that is not read."""

    exit_code = 2

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"model file {file}: {problem}")
        self.file = file
        self.problem = problem


class DownloadError(TunesmithError, code="DownloadError"):
    """A repository of models cannot be reached, is not there, or is not open to this user."""

    def __init__(self, repository: str, problem: str) -> None:
        super().__init__(f"cannot download {repository}: {problem}")
        self.repository = repository
        self.problem = problem


class DatabaseError(TunesmithError, code="DatabaseError", status=503, retryable=True):
    """The database is damaged, locked, newer than this version or out of reach; it is left as it was.

    It may be there again after ``retry_after`` whole seconds, where that is not None.
    """

    retry_after: float | None = 30

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"database {where}: {problem}")
        self.problem = problem


class DatabaseBusy(DatabaseError, code="DatabaseBusy"):
    """Others hold the database for longer than one can wait; after ``retry_after`` whole seconds they may be done."""

    retry_after = 5


class DatabaseOutOfReach(DatabaseBusy, code="DatabaseOutOfReach"):
    """The database's server does not answer, as while it starts again; ``problem`` tells nothing of where it is."""

    def __init__(self, where: str, said: str) -> None:
        super().__init__(where, f"cannot be reached: {said}")
        self.problem = "cannot be reached at the moment; try again later"


class DatabaseFull(DatabaseError, code="DatabaseFull", status=507, retryable=False):
    """The database cannot grow, because the disk is full."""

    retry_after = None


class DatabaseDamaged(DatabaseError, code="DatabaseDamaged"):
    """The database's file is damaged."""


class DatabaseGone(DatabaseError, code="DatabaseGone"):
    """The database's file was removed or replaced while it was open; what is written to the old one would be lost."""


class FolderUnavailable(TunesmithError, code="FolderUnavailable", status=503, retryable=True):
    """A folder is missing and cannot be made, or cannot be written to; ``problem`` tells nothing of where it is."""

    retry_after = 30

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"folder {folder} cannot be used: {reason}")
        self.problem = f"folder {folder.name} cannot be used: {reason}"


class JobNotFound(TunesmithError, code="JobNotFound", status=404):
    """There is no job with that id."""

    exit_code = 2

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:80]!r}")


class TrackNotFound(TunesmithError, code="TrackNotFound", status=404):
    """There is no track with that id in the prompt log."""

    exit_code = 2

    def __init__(self, track_id: str, problem: str = "there is none in the prompt log") -> None:
        super().__init__(f"track {track_id[:80]!r}: {problem}")


class OutOfResources(TunesmithError, code="OutOfResources", status=503, retryable=True):
    """There is not enough disk or memory; found out before the work starts."""


class RateLimited(TunesmithError, code="RateLimited", status=429, retryable=True):
    """The caller has asked for more than it may; after ``retry_after`` whole seconds it may ask again."""

    retry_after: int

    def __init__(self, allowed: str, retry_after: int) -> None:
        super().__init__(f"no more than {allowed}; try again in {retry_after} s")
        self.allowed = allowed
        self.retry_after = retry_after


class QueueFull(TunesmithError, code="QueueFull", status=503, retryable=True):
    """So many requests wait already that no more are taken; ``retry_after`` whole seconds may help, if known."""

    def __init__(self, num_waiting: int, retry_after: int | None = None) -> None:
        when = "later" if retry_after is None else f"in {retry_after} s"
        super().__init__(f"the queue is full: {num_waiting} requests are waiting; try again {when}")
        self.num_waiting = num_waiting
        self.retry_after = retry_after


class ServerStopping(TunesmithError, code="ServerStopping", status=503, retryable=True):
    """The server is about to end; the job that was followed is not, and goes on when a server is there again."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__("the server is stopping; try again in a few seconds")


class GenerationCancelled(TunesmithError, code="GenerationCancelled", status=499):
    """The caller cancelled while the music was being made."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled")


class ApiError(TunesmithError, code="ApiError", status=502):
    """A server that this client called refused: ``status`` of HTTP, ``kind`` (an error's name), ``field`` to blame."""

    def __init__(self, message: str, *, status: int, kind: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.field = field
        if field is not None:
            self.exit_code = 2


class TokenRefused(ApiError, code="TokenRefused"):
    """The token is missing, wrong, or not enough."""


class NotFound(ApiError, code="NotFound"):
    """There is no such job, track or model on the server."""


class ServerBusy(ApiError, code="ServerBusy", status=503, retryable=True):
    """Too many requests, or the queue is full; ``retry_after`` seconds if the server says."""

    def __init__(
        self, message: str, *, status: int, kind: str = "", field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, kind=kind, field=field)
        self.retry_after = retry_after


class GenerationFailed(TunesmithError, code="GenerationFailed", status=502):
    """A server that this client called could not make the music; ``kind`` is the error's name there."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ServerUnreachable(TunesmithError, code="ServerUnreachable", status=502):
    """There is no answer from the server."""


class DeadlineExceeded(TunesmithError, code="DeadlineExceeded", status=504):
    """It took longer than the client was told to wait."""


class TaskFailed(TunesmithError, code="TaskFailed"):
    """A runner could not make a task. ``kind`` is the code of the error, ``is_mistake`` blames the request.

    ``trace`` says where in the program a bug is, for the log alone.
    """

    def __init__(self, kind: str, message: str, *, is_mistake: bool, trace: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.is_mistake = is_mistake
        self.trace = trace


class RunnerCrashed(TunesmithError, code="RunnerCrashed"):
    """The process that worked on a task ended, or was ended because it no longer answered; another try may succeed."""


class InvalidItem(TunesmithError, code="Mistake"):
    """An item of a batch cannot be made because of the request itself; another try would not help."""
