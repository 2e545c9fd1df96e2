"""What the smaller dialects ask of the rest of the server, and the status of each error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse

from tunesmith.errors import ApiError, DatabaseError, FolderUnavailable, TunesmithError

SERVER_FAULT = 500
INTERNAL_ERROR_MESSAGE = "the music could not be made; the server's log says why"


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
