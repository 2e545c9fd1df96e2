"""Errors in every API: their status and message, and the web framework's own errors, such as an unknown route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from tunesmith.errors import ApiError, DatabaseError, FolderUnavailable, InvalidRequest, TunesmithError
from tunesmith.fields import limit_and_value
from tunesmith.server.errors import BadRequest, MethodNotAllowed, RouteNotFound
from tunesmith.server.middleware.request_limits import Tell

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


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def add_exception_handlers(app: FastAPI, tell: Tell) -> None:
    """Register handlers that build their responses with ``tell``."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        meaning = _meaning(request, error)
        # A bare OPTIONS request asks for the methods, and gets them in the Allow header.
        if request.method == "OPTIONS" and isinstance(meaning, MethodNotAllowed):
            return Response(status_code=204, headers=meaning.headers)
        return tell(request.url.path, meaning)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return tell(request.url.path, _first(error))

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)


def _meaning(request: Request, error: HTTPException) -> TunesmithError:
    if error.status_code == 404:
        return RouteNotFound(request.url.path)
    if error.status_code == 405:
        return MethodNotAllowed(request.method, request.url.path, _allowed(request))
    return BadRequest(str(error.detail)) if error.status_code < 500 else TunesmithError(str(error.detail))


def _allowed(request: Request) -> str:
    """Return the methods of all routes at the request's path; the framework reports only the first route's."""
    # A mounted app would match every path below it, with every method.
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]  # fmt: skip
    return ", ".join([*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"])


def _first(error: RequestValidationError) -> InvalidRequest:
    # One error at a time, as the server's own checks report them.
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return InvalidRequest(field, limit_and_value(first))
