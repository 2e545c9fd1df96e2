"""The status, message and response of an error, shared by all APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse

from tunesmith.errors import ApiError, DatabaseError, FolderUnavailable, TunesmithError

SERVER_FAULT = 500
INTERNAL_ERROR_MESSAGE = "generation failed; see the server's log"


def status_of(error: TunesmithError) -> int:
    """Return the HTTP status of an error."""
    # The status of an ApiError is what another server answered, not what this server answers.
    return type(error).status if isinstance(error, ApiError) else error.status


def message_of(error: TunesmithError) -> str:
    """Return the message for the caller, without internals of the server such as paths."""
    # The text of an unexpected error may quote paths or secrets.
    if status_of(error) == SERVER_FAULT:
        return INTERNAL_ERROR_MESSAGE
    if isinstance(error, DatabaseError):
        return f"the server's database {error.problem}"
    return f"the server's {error.problem}" if isinstance(error, FolderUnavailable) else str(error)


def error_response(error: TunesmithError, body: Mapping[str, Any]) -> JSONResponse:
    """Return an error response with the API's own ``body``, and ``Retry-After`` in seconds if the error has one."""
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(dict(body), status_of(error), headers)
