"""Exception handlers: errors of the web framework, such as an unknown route, in the shape of each API."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from tunesmith.errors import InvalidRequest, TunesmithError
from tunesmith.fields import limit_and_value
from tunesmith.server.errors import BadRequest, MethodNotAllowed, RouteNotFound
from tunesmith.server.middleware.request_limits import Tell

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
