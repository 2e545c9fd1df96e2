"""What the smaller dialects ask of the rest of the server, and the status of each error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from fastapi.responses import JSONResponse

from tunesmith.config import Settings
from tunesmith.errors import DatabaseError, FolderUnavailable, TunesmithError, UnknownName
from tunesmith.jobs.job import Failure, Job, Submission

STATUS_BY_ERROR: Mapping[str, int] = {
    "BadRequest": 400,
    "Unauthenticated": 401,
    "Forbidden": 403,
    "ModelNotInstalled": 404,
    "UnknownName": 404,
    "JobNotFound": 404,
    "TrackNotFound": 404,
    "NoSuchRoute": 404,
    "WrongMethod": 405,
    "RequestTimeout": 408,
    "IdempotencyConflict": 409,
    "NoMusic": 409,
    "PullUnderWay": 409,
    "TooLarge": 413,
    "InvalidRequest": 422,
    "AudioFileError": 422,
    "RateLimited": 429,
    "UploadLimited": 429,
    "GenerationCancelled": 499,
    "ModelIsLoading": 503,
    "ApiError": 502,
    "TokenRefused": 502,
    "NotFound": 502,
    "GenerationFailed": 502,
    "ServerUnreachable": 502,
    "ServerBusy": 503,
    "DeadlineExceeded": 504,
    "QueueFull": 503,
    "OutOfResources": 503,
    "DatabaseError": 503,
    "FolderUnavailable": 503,
    "LimitsOutOfReach": 503,
    "BodiesFull": 503,
    "ServerStopping": 503,
    "DiskFull": 507,
    "DatabaseFull": 507,
}
"""HTTP status by the name of an error's class, because of a failed job only that name is known; the rest are 500."""

SERVER_FAULT = 500
HIDDEN = "the music could not be made; the server's log says why"


class Service(Protocol):
    """The part of the music service that the smaller dialects use."""

    async def submit(self, submission: Submission) -> Job:
        """Queue a job; raises InvalidRequest, UnknownName, ModelNotInstalled, QueueFull."""
        ...

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """Return a job; raises JobNotFound, for other owners' jobs too."""
        ...

    async def wait(self, job: Job, timeout: float | None = None) -> Job:
        """Return the job at its end, or as it is after ``timeout`` seconds."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Stop a job in whatever state it is."""
        ...

    def events(self, job_id: str) -> AsyncIterator[Job]:
        """Give the job now, and after each change, until its end."""
        ...

    def result_path(self, job: Job) -> Path:
        """Return the file of a succeeded job."""
        ...


class Context(Protocol):
    """What a dialect is made with. ``authenticate`` is FastAPI's dependency that returns who calls."""

    @property
    def settings(self) -> Settings:
        """The server's settings."""
        ...

    @property
    def service(self) -> Service:
        """The music service."""
        ...

    @property
    def authenticate(self) -> Callable[..., Awaitable[Any]]:
        """Return a caller, who has an ``owner``; raises Unauthenticated, Forbidden or RateLimited."""
        ...


COME_BACK, FAILED_RETRY_SECONDS = 503, 30
"""The status of what may go better later, and when that is worth a try after a job has failed."""


class JobFailed(TunesmithError):
    """A job ended without music. ``kind`` is the class name of what stopped it.

    ``retry_after`` is the seconds after which it may go better, where it may.
    """

    def __init__(self, failure: Failure | None) -> None:
        self.kind = failure.kind if failure else "GenerationCancelled"
        self.retry_after = FAILED_RETRY_SECONDS if STATUS_BY_ERROR.get(self.kind) == COME_BACK else None
        super().__init__(failure.message if failure else "cancelled")


def status_of(error: TunesmithError) -> int:
    """Return the HTTP status that says what went wrong."""
    if isinstance(error, JobFailed):
        return STATUS_BY_ERROR.get(error.kind, SERVER_FAULT)
    if isinstance(error, UnknownName) and error.field != "model":
        return STATUS_BY_ERROR["InvalidRequest"]
    return next(
        (STATUS_BY_ERROR[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in STATUS_BY_ERROR),
        SERVER_FAULT,
    )


def message_of(error: TunesmithError) -> str:
    """Return what a caller may read: nothing of the inside of the server."""
    if status_of(error) == SERVER_FAULT:
        return HIDDEN
    if isinstance(error, DatabaseError):
        return f"the server's database {error.problem}"
    return f"the server's {error.problem}" if isinstance(error, FolderUnavailable) else str(error)


def error_response(error: TunesmithError, body: Mapping[str, Any]) -> JSONResponse:
    """Answer with the error's status, its ``retry_after`` as a header, and the dialect's own body."""
    retry_after = getattr(error, "retry_after", None)
    headers = dict(getattr(error, "headers", None) or {})
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return JSONResponse(dict(body), status_of(error), headers)
