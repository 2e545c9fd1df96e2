"""The studio page: its files under ``/studio``, and the bare address for browsers and programs.

    /                     the page for browsers, a JSON object with links for programs
    /studio/…             src/tunesmith/web
    /studio/js/src/…      the JavaScript client, clients/js/src in a checkout

The page lives beside the APIs at one origin and may load nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

import tunesmith

WEB = Path(__file__).parents[1] / "web"
CLIENT = Path("js") / "src"
CHECKOUT = Path(__file__).parents[3] / "clients"
PAGE = "index.html"
ABOUT = {
    "name": "tunesmith",
    "version": tunesmith.__version__,
    "docs": "/docs",
    "openapi": "/openapi.json",
    "models": "/api/models",
    "health": "/health/ready",
}
# Not from mimetypes, which asks the system: Windows may call JavaScript plain text, which browsers then refuse to run.
MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
JSDOC = re.compile(rb"^[ \t]*/\*\*.*?\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""JSDoc that has lines of its own; no string of the page begins a line like it."""

COMPRESSED = {".woff2"}
"""The files that gzip would not make smaller."""

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "connect-src 'self'",
    "img-src 'self' data:", "media-src blob:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
))  # fmt: skip
"""The Content-Security-Policy of the page: it runs no inline code, calls no other origin, and plays only what the user
dropped on it."""


def web_page_routes() -> APIRouter:
    """Return the routes of the page, open to all: whoever has no token learns only the version, which is open too."""
    routes = APIRouter(tags=["Health"])

    @routes.get("/", summary="Useful links", response_class=JSONResponse, responses={200: {"description": "The links"}})
    async def front(request: Request) -> Response:
        reads_pages = "text/html" in request.headers.get("accept", "")
        answer = await _file(PAGE, request) if reads_pages else JSONResponse(ABOUT)
        # Caches must keep the page and the JSON apart.
        answer.headers["vary"] = "Accept, Accept-Encoding"
        return answer

    @routes.get("/studio/{path:path}", include_in_schema=False)
    async def file(path: str, request: Request) -> Response:
        return await _file(path, request)

    return routes


async def _file(path: str, request: Request) -> Response:
    content = await asyncio.to_thread(_read, path)
    if content is None:
        return Response("there is no such file\n", 404, media_type="text/plain")
    digest = hashlib.sha256(content).hexdigest()[:32]
    # The browser asks each time, so that an upgrade of the server upgrades the page.
    headers = {"cache-control": "no-cache", "etag": f'"{digest}"', "vary": "Accept-Encoding"}
    # A policy counts for documents; on each of a hundred scripts it would be a sixth of what is sent.
    if Path(path).suffix == ".html":
        headers["content-security-policy"] = POLICY
    if f'"{digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    suffix = Path(path).suffix
    if suffix not in COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
        content = await asyncio.to_thread(gzip.compress, content, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=MEDIA_TYPES[suffix])


def _read(path: str) -> bytes | None:
    """Return the content of a file of the page, scripts without their documentation; None if there is none."""
    found = _path_of(path)
    if found is None or not found.is_file():
        return None
    content = found.read_bytes()
    return without_documentation(content) if found.suffix == ".js" else content


def without_documentation(script: bytes) -> bytes:
    """Return a script without its JSDoc, a quarter of what would be sent; every line keeps its number."""
    return JSDOC.sub(lambda found: b"\n" * found.group().count(b"\n"), script)


def _path_of(path: str) -> Path | None:
    """Return the path of a file of the page on the disk; None for one outside its folders or of another kind."""
    wanted = Path(path)
    if ".." in wanted.parts or wanted.is_absolute() or wanted.suffix not in MEDIA_TYPES:
        return None
    packaged = WEB / wanted
    # In a checkout the client is where it is developed; a wheel has it beside the page.
    is_client = wanted.is_relative_to(CLIENT) and not packaged.exists()
    return CHECKOUT / wanted if is_client else packaged
