"""Errors as this API says them: problem JSON with ``title``, ``detail`` and ``status``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import JSONResponse, Response

from tunesmith.errors import (
    AudioFileError,
    DatabaseError,
    DatabaseFull,
    DiskFull,
    FolderUnavailable,
    IdempotencyConflict,
    InvalidRequest,
    JobNotFound,
    ModelNotInstalled,
    OutOfResources,
    QueueFull,
    TunesmithError,
    UnknownName,
)
from tunesmith.server.dialects.contract import STATUS_BY_ERROR, message_of

RETRY_AFTER_SECONDS = 5
"""When to come back where nobody knows better."""

_NAMES = {
    "guidance_scale": "classifier_free_guidance", "audio": "input_audio", "melody": "input_audio", "tempo_bpm": "bpm",
}  # fmt: skip
_STATUSES: Sequence[tuple[type[TunesmithError], int, str]] = (
    (JobNotFound, 404, "Not found"),
    (ModelNotInstalled, 404, "Not found"),
    (QueueFull, 503, "Service unavailable"),
    (OutOfResources, 503, "Service unavailable"),
    (DatabaseFull, 507, "Insufficient storage"),
    (DatabaseError, 503, "Service unavailable"),
    (FolderUnavailable, 503, "Service unavailable"),
    (DiskFull, 507, "Insufficient storage"),
    (IdempotencyConflict, 409, "Conflict"),
)

_TITLES = {
    "Unauthenticated": "Unauthenticated", "Forbidden": "Forbidden", "RateLimited": "Too many requests",
    "UploadLimited": "Too many requests",
    "TooLarge": "Payload too large", "BadRequest": "Bad request", "NoSuchRoute": "Not found",
    "WrongMethod": "Method not allowed", "RequestTimeout": "Request timeout",
    "LimitsOutOfReach": "Service unavailable", "BodiesFull": "Service unavailable",
    "ServerStopping": "Service unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One field of an input that breaks a rule: the rule's ``type``, and what it says."""

    type: str
    field: str
    description: str


class InvalidInput(TunesmithError):
    """Fields of ``input`` break their rules."""

    def __init__(self, fields: Sequence[InvalidField]) -> None:
        self.fields = tuple(fields)
        self.detail = "".join(f"- {one.field}: {one.description}\n" for one in fields)
        super().__init__(self.detail)


class Problem(TunesmithError):
    """An answer that is an error whatever the input."""

    def __init__(self, status: int, detail: str, title: str = "Not found") -> None:
        super().__init__(detail)
        self.status = status
        self.title = title


def invalid_version() -> Problem:
    """Return the error for a version that there is not."""
    title = "Invalid version or not permitted"
    return Problem(422, "The specified version does not exist (or perhaps you don't have permission to use it?)", title)


def errors(error: TunesmithError) -> Response:
    """Return the answer to an error."""
    if isinstance(error, Problem):
        return problem(error.status, error.title, str(error))
    if isinstance(error, InvalidInput):
        return _invalid(error)
    if isinstance(error, UnknownName) and error.field == "model":
        return problem(404, "Not found", str(error))
    status, title = next(((code, title) for kind, code, title in _STATUSES if isinstance(error, kind)), (0, ""))
    if status:
        retry_after = getattr(error, "retry_after", None) or RETRY_AFTER_SECONDS
        return problem(status, title, message_of(error), {"retry-after": str(retry_after)} if status == 503 else None)
    if isinstance(error, AudioFileError):
        return _invalid(InvalidInput([InvalidField("invalid", "input.input_audio", "is not a sound file")]))
    if isinstance(error, InvalidRequest):
        field = f"input.{_NAMES.get(error.field, error.field)}"
        return _invalid(InvalidInput([InvalidField("invalid", field, error.problem)]))
    name = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _TITLES), None)
    if name is None:
        return problem(500, "Internal server error", "The request could not be served.")
    wait = getattr(error, "retry_after", None)
    headers = {**getattr(error, "headers", {}), **({"retry-after": str(wait)} if wait else {})}
    detail = f"Request was throttled. Your rate limit resets in ~{wait}s." if name == "RateLimited" else str(error)
    return problem(STATUS_BY_ERROR[name], _TITLES[name], detail, headers)


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error; it has the names of the other dialects' errors too, which no client minds."""
    body = {"title": title, "detail": detail, "status": status}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _invalid(error: InvalidInput) -> JSONResponse:
    fields = [{"type": one.type, "field": one.field, "description": one.description} for one in error.fields]
    body = {"title": "Input validation failed", "detail": error.detail, "status": 422, "invalid_fields": fields}
    return JSONResponse(body, 422, media_type="application/problem+json")
