"""Files: the routes for uploads, which inputs refer to by URL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput, ProblemDetail
from tunesmith.server.apis.replicate.file_store import MAX_FILE_BYTES, FileStore, Upload, UploadedFile
from tunesmith.server.apis.replicate.json_types import Json
from tunesmith.server.apis.replicate.openapi import file_body
from tunesmith.server.apis.replicate.response import PredictionSerializer, caller_of, timestamp
from tunesmith.server.apis.request_body import parse_json, read_form
from tunesmith.server.errors import BadRequest
from tunesmith.server.upload_limits import Uploads

PAGE = 100
MAX_METADATA_BYTES = MAX_CHARACTERS["metadata"]
# The bytes that the other parts and the boundaries of the form may take.
_ROOM_FOR_THE_REST = 10**6


class Files:
    """The handlers of the routes under ``/files``."""

    def __init__(self, store: FileStore, views: PredictionSerializer, uploads: Uploads) -> None:
        self._store = store
        self._views = views
        self._uploads = uploads

    def add_to(self, router: APIRouter) -> None:
        """Add the routes to the router."""
        router.add_api_route("/files", self.create, methods=["POST"], status_code=201, openapi_extra=file_body())
        router.add_api_route("/files", self.page, methods=["GET"])
        router.add_api_route("/files/{file_id}", self.get, methods=["GET"])
        router.add_api_route("/files/{file_id}", self.delete, methods=["DELETE"], status_code=204)
        router.add_api_route("/files/{file_id}/download", self.download, methods=["GET"])

    async def create(self, request: Request) -> Response:
        """Store the part ``content`` of a multipart body; ``metadata`` is a JSON field or file."""
        owner = caller_of(request).owner
        # Refused before the body is received.
        await self._uploads.check(owner)
        async with read_form(_bounded(request), max_files=2, max_fields=8) as form:
            content = form.get("content")
            if not isinstance(content, UploadFile):
                raise InvalidInput([InvalidField("required", "content", "content is required")])
            upload = Upload(
                owner, _name(content.filename), _type(content.content_type), await _metadata(form),
            )  # fmt: skip
            await self._uploads.count(owner, content.size or 0)
            stored = await asyncio.to_thread(self._store.add, upload, content.file)
        return JSONResponse(self._shown(stored, request), 201)

    async def get(self, request: Request, file_id: str) -> Response:
        """Return the metadata of a file."""
        stored = await asyncio.to_thread(self._store.get, file_id, caller_of(request).owner)
        return JSONResponse(self._shown(stored, request))

    async def download(self, request: Request, file_id: str) -> Response:
        """Return the content of a file."""
        stored = await asyncio.to_thread(self._store.get, file_id, caller_of(request).owner)
        # A browser must not render an uploaded file as a page of this server.
        headers = {"x-content-type-options": "nosniff", "content-disposition": "attachment"}
        return FileResponse(self._store.path(stored), media_type="application/octet-stream", headers=headers)

    async def delete(self, request: Request, file_id: str) -> Response:
        """Remove a file."""
        await asyncio.to_thread(self._store.remove, file_id, caller_of(request).owner)
        return Response(status_code=204)

    async def page(self, request: Request, cursor: str | None = None) -> Response:
        """List the caller's files, newest first."""
        # One file more than the page holds tells whether there is a next page.
        found = await asyncio.to_thread(self._store.page, caller_of(request).owner, PAGE + 1, cursor)
        origin = self._views.addresses(request).origin
        after = f"{origin}/v1/files?cursor={found[PAGE - 1].id}" if len(found) > PAGE else None
        shown = [self._shown(stored, request) for stored in found[:PAGE]]
        return JSONResponse({"previous": None, "next": after, "results": shown})

    def _shown(self, stored: UploadedFile, request: Request) -> Json:
        return {
            "id": stored.id, "name": stored.name, "content_type": stored.content_type, "size": stored.size,
            "etag": stored.md5, "checksums": {"sha256": stored.sha256, "md5": stored.md5},
            "metadata": dict(stored.metadata), "created_at": timestamp(stored.created_at),
            "expires_at": timestamp(stored.expires_at),
            "urls": {"get": f"{self._views.addresses(request).origin}/v1/files/{stored.id}"},
        }  # fmt: skip


def _bounded(request: Request) -> Request:
    """Return the request with a body limited in size, whatever its headers state. Raises ProblemDetail (413)."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > MAX_FILE_BYTES + _ROOM_FOR_THE_REST:
            raise ProblemDetail(413, f"A file must be at most {MAX_FILE_BYTES} bytes.", "Payload too large")
        return message

    return Request(request.scope, receive)


async def _metadata(form: FormData) -> Mapping[str, Any]:
    given = form.get("metadata")
    # Replicate's Python client sends the metadata as a field, its JavaScript client as a file.
    raw = await given.read(MAX_METADATA_BYTES + 1) if isinstance(given, UploadFile) else (given or "{}").encode()
    try:
        metadata = parse_json(raw) if len(raw) <= MAX_METADATA_BYTES else None
    except BadRequest:
        metadata = None
    except InvalidRequest as error:
        raise InvalidInput([InvalidField("invalid", f"metadata.{error.field}", error.problem)]) from None
    if not isinstance(metadata, dict):
        raise InvalidInput([InvalidField("invalid", "metadata", "metadata must be a JSON object of at most 16 KB")])
    return metadata


def _name(name: str | None) -> str:
    """Return a printable file name; files are never stored under it."""
    return "".join(c for c in name or "file" if c.isprintable())[:255] or "file"


def _type(media_type: str | None) -> str:
    return (media_type or "application/octet-stream")[:255]
