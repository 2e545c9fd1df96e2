"""Form bodies (``multipart/form-data``): text fields, always in UTF-8, and files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from tunesmith.server.errors import BadRequest

MULTIPART = b"multipart/form-data"
MAX_FILES, MAX_FIELDS = 8, 64
MAX_BOUNDARY_BYTES = 70
"""The limit of RFC 2046, section 5.1.1."""


def is_form(request: Request) -> bool:
    """Return whether the Content-Type declares a multipart body."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


@asynccontextmanager
async def read_form(
    request: Request, max_files: int = MAX_FILES, max_fields: int = MAX_FIELDS
) -> AsyncIterator[FormData]:
    """Yield the parts of a form and close its files afterwards. Raises BadRequest for an invalid form.

    ``max_files`` and ``max_fields`` are the largest numbers of parts.
    """
    headers = _headers_without_charset(request)
    parser = MultiPartParser(headers, request.stream(), max_files=max_files, max_fields=max_fields)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(error.message) from None
    try:
        yield form
    finally:
        await form.close()


def _headers_without_charset(request: Request) -> Headers:
    """Return the Content-Type without ``charset``, where a caller could name any of Python's codecs.

    Raises BadRequest.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    # A quote or backslash could end the boundary in the header that is built below.
    if kind != MULTIPART or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES or set(boundary) & set(b'"\\'):
        raise BadRequest(
            f"Content-Type: must be multipart/form-data with a boundary of 1 to {MAX_BOUNDARY_BYTES} bytes"
        )
    return Headers(raw=[(b"content-type", MULTIPART + b'; boundary="' + boundary + b'"')])
