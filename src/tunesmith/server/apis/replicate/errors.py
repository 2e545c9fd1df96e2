"""Errors of Replicate's API: problem JSON with ``title``, ``detail`` and ``status``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse, Response

from tunesmith.errors import AudioFileError, InvalidRequest, RateLimited, TunesmithError
from tunesmith.server.apis.errors import message_of, status_of

DIALECT = "replicate"
"""The value of ``Job.dialect``, which is stored in the database."""

Json = dict[str, Any]


INVALID, UNAVAILABLE = 422, 503
RETRY_AFTER_SECONDS = 5
"""The ``Retry-After`` in seconds of a 503 that does not state one."""

_NAMES = {
    "guidance_scale": "classifier_free_guidance", "audio": "input_audio", "melody": "input_audio", "tempo_bpm": "bpm",
}  # fmt: skip
_TITLES = {
    400: "Bad request", 401: "Unauthenticated", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    408: "Request timeout", 409: "Conflict", 413: "Payload too large", 429: "Too many requests",
    503: "Service unavailable", 507: "Insufficient storage",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvalidField:
    """An invalid field of an input: the ``type`` of the violated rule, and a message."""

    type: str
    field: str
    description: str


class InvalidInput(TunesmithError, code="InvalidInput", status=422):
    """One or more fields of ``input`` are invalid."""

    def __init__(self, fields: Sequence[InvalidField]) -> None:
        self.fields = tuple(fields)
        self.detail = "".join(f"- {one.field}: {one.description}\n" for one in fields)
        super().__init__(self.detail)


class ProblemDetail(TunesmithError, code="Problem"):
    """An error with its own status, title and detail."""

    def __init__(self, status: int, detail: str, title: str = "Not found") -> None:
        super().__init__(detail)
        self.status = status
        self.title = title


def invalid_version() -> ProblemDetail:
    """Return the error for an unknown version, with Replicate's own text."""
    title = "Invalid version or not permitted"
    return ProblemDetail(
        422, "The specified version does not exist (or perhaps you don't have permission to use it?)", title
    )


def errors(error: TunesmithError) -> Response:
    """Return an error in Replicate's format."""
    if isinstance(error, ProblemDetail):
        return problem(error.status, error.title, str(error))
    if isinstance(error, InvalidInput):
        return _invalid(error)
    status = status_of(error)
    # The error itself names a file of the server.
    if status == INVALID and isinstance(error, AudioFileError):
        return _invalid(InvalidInput([InvalidField("invalid", "input.input_audio", "is not a sound file")]))
    if status == INVALID and isinstance(error, InvalidRequest):
        # Errors name a field as this API does.
        field = f"input.{_NAMES.get(error.field, error.field)}"
        return _invalid(InvalidInput([InvalidField("invalid", field, error.problem)]))
    # Any other status is a fault of the server, whose details callers must not see.
    if status not in _TITLES:
        return problem(500, "Internal server error", "The request could not be served.")
    retry_after = error.retry_after or (RETRY_AFTER_SECONDS if status == UNAVAILABLE else None)
    headers = {**error.headers, **({"retry-after": str(retry_after)} if retry_after else {})}
    # Replicate's own text for a 429.
    is_throttled = error.code == RateLimited.code
    detail = f"Request was throttled. Your rate limit resets in ~{retry_after}s." if is_throttled else message_of(error)
    return problem(status, _TITLES[status], detail, headers)


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return problem JSON with the given status, title, detail and headers."""
    body = {"title": title, "detail": detail, "status": status}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _invalid(error: InvalidInput) -> JSONResponse:
    fields = [{"type": one.type, "field": one.field, "description": one.description} for one in error.fields]
    body = {"title": "Input validation failed", "detail": error.detail, "status": 422, "invalid_fields": fields}
    return JSONResponse(body, 422, media_type="application/problem+json")
