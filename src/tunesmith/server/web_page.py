"""The studio page: its files under ``/studio``, and the bare address for browsers and programs.

    /                     the page for browsers, a JSON object with links for programs
    /studio/…             src/tunesmith/web
    /studio/js/src/…      the JavaScript client, clients/js/src in a checkout

The page lives beside the APIs at one origin and may load nothing from elsewhere.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

import tunesmith

WEB = Path(__file__).parents[1] / "web"
CLIENT = Path("js") / "src"
CHECKOUT = Path(__file__).parents[3] / "clients"
PAGE = "index.html"
MODULE = b'<script type="module"'
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
JSDOC = re.compile(rb"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""JSDoc that has lines of its own; no string of the page begins a line like it."""

MAIN = "modules/main.js"
IMPORTED = re.compile(rb'(?:from|import) "(\.[^"]+)";')
"""The imports of a module, but those of ``import()``: what is loaded later is not to be loaded at once."""

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


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file of the page as it is sent: plain and, where that is smaller, compressed, with its tag."""

    plain: bytes
    packed: bytes | None
    tag: str


async def _file(path: str, request: Request) -> Response:
    file = await asyncio.to_thread(_read, path)
    if file is None:
        return Response("there is no such file\n", 404, media_type="text/plain")
    # The browser asks each time, so that an upgrade of the server upgrades the page.
    headers = {"cache-control": "no-cache", "etag": file.tag, "vary": "Accept-Encoding"}
    suffix = Path(path).suffix
    # A policy counts for documents; on each of a hundred scripts it would be a sixth of what is sent.
    if suffix == ".html":
        headers["content-security-policy"] = POLICY
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.plain
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = file.packed, "gzip"
    return Response(content, headers=headers, media_type=MEDIA_TYPES[suffix])


def _read(path: str) -> WebFile | None:
    """Return a file of the page; None if there is none."""
    found = _path_of(path)
    if found is None or not found.is_file():
        return None
    return _prepared(found, found.stat().st_mtime_ns)


# A page has some hundred files: to compress them for each visitor would take longer than to send them.
@functools.lru_cache(maxsize=256)
def _prepared(path: Path, modified: int) -> WebFile:  # noqa: ARG001  another time is another file
    content = path.read_bytes()
    plain = without_documentation(content) if path.suffix == ".js" else with_preloads(content, path)
    packed = None if path.suffix in COMPRESSED else gzip.compress(plain, mtime=0)
    return WebFile(plain, packed, f'"{hashlib.sha256(plain).hexdigest()[:16]}"')


def with_preloads(content: bytes, path: Path) -> bytes:
    """Return the page with a link to each of its modules; any other file as it is.

    Without them a browser learns of a module only when it has read the one that imports it, five deep.
    """
    if path.name != PAGE:
        return content
    names = sorted(_modules_of_page())
    links = "".join(f'<link rel="modulepreload" href="studio/{name}">\n' for name in names)
    return content.replace(MODULE, links.encode() + MODULE, 1)


def _modules_of_page() -> set[str]:
    """Return the modules that the page loads at once, as paths below ``studio/``."""
    found: set[str] = set()
    left = [MAIN]
    while left:
        name = left.pop()
        path = None if name in found else _path_of(name)
        if path is None:
            continue
        found.add(name)
        script = without_documentation(path.read_bytes())
        left += [posixpath.normpath(f"{posixpath.dirname(name)}/{one.decode()}") for one in IMPORTED.findall(script)]
    return found


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
