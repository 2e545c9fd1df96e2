"""Form bodies (``multipart/form-data``): texts and files, the texts always in UTF-8."""

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
"""As RFC 2046, section 5.1.1, has it."""


def is_form(request: Request) -> bool:
    """Tell whether the body is said to be a form in parts."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


@asynccontextmanager
async def read_form(
    request: Request, max_files: int = MAX_FILES, max_fields: int = MAX_FIELDS
) -> AsyncIterator[FormData]:
    """Give the parts of a form, whose files are closed afterwards; raises BadRequest for what is none."""
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
    """Return the headers that the parser reads: a caller could name any of Python's codecs as charset."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != MULTIPART or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES or set(boundary) & set(b'"\\'):
        raise BadRequest(
            f"Content-Type: must be multipart/form-data with a boundary of 1 to {MAX_BOUNDARY_BYTES} bytes"
        )
    return Headers(raw=[(b"content-type", MULTIPART + b'; boundary="' + boundary + b'"')])
