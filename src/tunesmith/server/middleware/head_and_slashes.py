"""The front door: what somebody finds who opens the server's bare address, and what every address puts up with."""

from __future__ import annotations

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import tunesmith

PAGE = "/docs"
ABOUT = {
    "name": "tunesmith",
    "version": tunesmith.__version__,
    "docs": PAGE,
    "openapi": "/openapi.json",
    "models": "/api/models",
    "health": "/health/ready",
}


def root_routes() -> APIRouter:
    """Return the route; it is open, and says no more than the version, which is open too."""
    routes = APIRouter(tags=["Health"])

    @routes.get("/", summary="Where to look", response_class=JSONResponse, responses={303: {"description": "The page"}})
    async def front(request: Request) -> Response:
        reads_pages = "text/html" in request.headers.get("accept", "")
        answer = RedirectResponse(PAGE, 303) if reads_pages else JSONResponse(ABOUT)
        answer.headers["vary"] = "Accept"
        return answer

    return routes


class HeadMiddleware:
    """Middleware that answers HEAD as GET would, without the body, which monitors and link previews ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a HEAD ends with the headers, however long the body would have gone on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as serving:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    serving.cancel()

            await self._app({**scope, "method": "GET"}, receive, sent)


class SlashRedirectMiddleware:
    """Middleware that takes a path with several slashes in front for one with one: a base URL often ends in one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as if asked for by the shorter path."""
        if scope["type"] == "http" and scope["path"].startswith("//"):
            raw = b"/" + scope["raw_path"].lstrip(b"/")
            scope = {**scope, "path": "/" + scope["path"].lstrip("/"), "raw_path": raw}
        await self._app(scope, receive, send)
