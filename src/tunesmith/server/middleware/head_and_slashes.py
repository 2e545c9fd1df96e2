"""The root route, and middleware for HEAD requests and repeated slashes."""

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
    """Return the root route; it is open, and reveals no more than the version, which is open too."""
    routes = APIRouter(tags=["Health"])

    @routes.get("/", summary="Useful links", response_class=JSONResponse, responses={303: {"description": "The page"}})
    async def front(request: Request) -> Response:
        reads_pages = "text/html" in request.headers.get("accept", "")
        answer = RedirectResponse(PAGE, 303) if reads_pages else JSONResponse(ABOUT)
        # Caches must keep the page and the JSON apart.
        answer.headers["vary"] = "Accept"
        return answer

    return routes


class HeadMiddleware:
    """Middleware that answers HEAD like GET without the body, for monitors and link previews."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request; a HEAD response ends with its headers, even if the body would never end."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as serving:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    # Stop the route: an event stream would go on for a client that reads nothing.
                    serving.cancel()

            await self._app({**scope, "method": "GET"}, receive, sent)


class SlashRedirectMiddleware:
    """Middleware that reduces leading slashes to one: base URLs often end in a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request with the shorter path."""
        if scope["type"] == "http" and scope["path"].startswith("//"):
            raw = b"/" + scope["raw_path"].lstrip(b"/")
            scope = {**scope, "path": "/" + scope["path"].lstrip("/"), "raw_path": raw}
        await self._app(scope, receive, send)
