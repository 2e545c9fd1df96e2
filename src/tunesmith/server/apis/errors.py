"""What the smaller dialects ask of the rest of the server, and the status of each error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from fastapi.responses import JSONResponse

from tunesmith.config import Settings
from tunesmith.errors import ApiError, DatabaseError, FolderUnavailable, TunesmithError
from tunesmith.jobs.job import Job, Submission

SERVER_FAULT = 500
INTERNAL_ERROR_MESSAGE = "the music could not be made; the server's log says why"


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


def status_of(error: TunesmithError) -> int:
    """Return the HTTP status that says what went wrong."""
    # The status of an ApiError is what another server answered, which is not what ours answers.
    return type(error).status if isinstance(error, ApiError) else error.status


def message_of(error: TunesmithError) -> str:
    """Return what a caller may read: nothing of the inside of the server."""
    if status_of(error) == SERVER_FAULT:
        return INTERNAL_ERROR_MESSAGE
    if isinstance(error, DatabaseError):
        return f"the server's database {error.problem}"
    return f"the server's {error.problem}" if isinstance(error, FolderUnavailable) else str(error)


def error_response(error: TunesmithError, body: Mapping[str, Any]) -> JSONResponse:
    """Answer with the error's status, its ``retry_after`` as a header, and the dialect's own body."""
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(dict(body), status_of(error), headers)
