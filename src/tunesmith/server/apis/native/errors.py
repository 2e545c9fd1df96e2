"""The error format of Tunesmith's own API."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from tunesmith.errors import INTERNAL_ERROR, InvalidRequest, TunesmithError
from tunesmith.server.apis.errors import SERVER_FAULT, error_response, message_of, status_of
from tunesmith.server.apis.native.schemas import ErrorDetail, ErrorDocument
from tunesmith.server.errors import JobFailed

RESPONSES = {
    status: {"model": ErrorDocument, "description": meaning}
    for status, meaning in (
        (401, "The token is missing or invalid."),
        (403, "The token does not permit this."),
        (404, "The job or model does not exist."),
        (409, "The current state does not allow it, or the idempotency key belongs to another request."),
        (422, "A field of the request is invalid."),
        (429, "The caller's rate limit or quota is reached."),
        (500, "The server failed."),
        (503, "The queue is full."),
        (507, "The disk is full."),
    )
}
"""The error responses in the OpenAPI document."""


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the error responses of a route, with those that every route may give."""
    return {status: RESPONSES[status] for status in sorted({401, 429, 500, *statuses})}


def errors(error: TunesmithError) -> JSONResponse:
    """Return an error as ``{"error": {"type", "message", "field"?}}``."""
    field = error.field if isinstance(error, InvalidRequest | JobFailed) else None
    detail = ErrorDetail(type=_type_of(error), message=message_of(error), field=field)
    return error_response(error, ErrorDocument(error=detail).model_dump(exclude_none=True))


def _type_of(error: TunesmithError) -> str:
    if isinstance(error, JobFailed):
        return error.kind
    return INTERNAL_ERROR if status_of(error) == SERVER_FAULT else error.code
