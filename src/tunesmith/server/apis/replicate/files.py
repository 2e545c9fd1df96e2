"""Files that inputs refer to by URL: their routes, and their store, which keeps each for a day.

::

    files/
        01hx…/content      the bytes
        01hx…/about.json   what is known of them, written last: a folder without it is not a file yet
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS
from tunesmith.jobs.job import new_job_id
from tunesmith.jobs.results import ensure_folder, writing_to
from tunesmith.jobs.uploads import Reserve, reserve_nothing
from tunesmith.library.clock import Clock
from tunesmith.server.apis.replicate.errors import InvalidField, InvalidInput, Json, ProblemDetail
from tunesmith.server.apis.replicate.input_schema import file_body
from tunesmith.server.apis.replicate.response import PredictionSerializer, caller_of, timestamp
from tunesmith.server.apis.request_body import parse_json, read_form
from tunesmith.server.errors import BadRequest
from tunesmith.server.upload_limits import Uploads

# Replicate keeps a file for a day as well.
KEPT_SECONDS = 86_400.0
MAX_FILE_BYTES = 100 * 10**6
_ID = re.compile(r"[0-9a-z]{42}")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An uploaded file; times are Unix timestamps in seconds, checksums hexadecimal."""

    id: str
    owner: str | None
    name: str
    content_type: str
    size: int
    sha256: str
    md5: str
    metadata: Mapping[str, Any]
    created_at: float

    @property
    def expires_at(self) -> float:
        """The time of its removal, a Unix timestamp."""
        return self.created_at + KEPT_SECONDS


@dataclass(frozen=True, slots=True)
class Upload:
    """The metadata of a file being uploaded."""

    owner: str | None
    name: str
    content_type: str
    metadata: Mapping[str, Any]


class FileStore:
    """The folder of uploaded files. Safe to share between processes."""

    def __init__(self, folder: Path, clock: Clock = time.time, reserve: Reserve = reserve_nothing) -> None:
        self._folder = folder
        self._clock = clock
        self._reserve = reserve

    def add(self, upload: Upload, content: BinaryIO) -> UploadedFile:
        """Store a file. Raises ProblemDetail (413) if it is too large, UploadsFull and DiskFull."""
        # Expired files make room for the new one.
        self.prune()
        with self._reserve(min(_size_of(content), MAX_FILE_BYTES)), writing_to(self._folder, "the file"):
            return self._added(upload, content)

    def _added(self, upload: Upload, content: BinaryIO) -> UploadedFile:
        file_id = new_job_id(self._clock())
        folder = self._folder / file_id
        folder.mkdir(parents=True)
        try:
            size, sha256, md5 = _copied(content, folder / "content")
            stored = UploadedFile(
                file_id, upload.owner, upload.name, upload.content_type, size, sha256, md5, dict(upload.metadata),
                self._clock(),
            )  # fmt: skip
            (folder / "about.json").write_text(json.dumps(asdict(stored)), encoding="utf-8")
        except BaseException:
            # A partial upload must not stay, not even after a cancellation.
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return stored

    def get(self, file_id: str, owner: str | None) -> UploadedFile:
        """Return a file of the owner. Raises ProblemDetail (404)."""
        about = self._folder / file_id / "about.json"
        # The id becomes a path, so its form is checked first.
        if not _ID.fullmatch(file_id) or not about.is_file():
            raise _not_found(file_id)
        stored = UploadedFile(**json.loads(about.read_text(encoding="utf-8")))
        if stored.expires_at < self._clock() or (owner is not None and stored.owner != owner):
            raise _not_found(file_id)
        return stored

    def content(self, file_id: str, owner: str | None) -> bytes:
        """Return the content of a file of the owner. Raises ProblemDetail (404)."""
        return self.path(self.get(file_id, owner)).read_bytes()

    def path(self, stored: UploadedFile) -> Path:
        """Return the path of a file's content."""
        return self._folder / stored.id / "content"

    def remove(self, file_id: str, owner: str | None) -> None:
        """Remove a file of the owner. Raises ProblemDetail (404)."""
        shutil.rmtree(self._folder / self.get(file_id, owner).id)

    def prune(self, most: int | None = None) -> int:
        """Remove expired files, at most ``most``; return how many."""
        ensure_folder(self._folder)
        # Ids sort by time, so expired files are found without reading any of them.
        youngest_to_go = new_job_id(self._clock() - KEPT_SECONDS, bytes)
        over = (one for one in self._folder.iterdir() if _ID.fullmatch(one.name) and one.name < youngest_to_go)
        removed = list(islice(over, most))
        for folder in removed:
            shutil.rmtree(folder, ignore_errors=True)
        return len(removed)

    def page(self, owner: str | None, limit: int, before: str | None) -> list[UploadedFile]:
        """Return the owner's files, newest first, older than the id ``before``."""
        ids = sorted((one.parent.name for one in self._folder.glob("*/about.json")), reverse=True)
        older = (one for one in ids if before is None or one < before)
        return [stored for _, stored in zip(range(limit), self._readable(older, owner), strict=False)]

    def named_by(self, url: str, origin: str) -> str | None:
        """Return the id of the file that a URL of this server names, or None for any other URL."""
        prefix = f"{origin}/v1/files/"
        return url.removeprefix(prefix).partition("?")[0].removesuffix("/download") if url.startswith(prefix) else None

    def _readable(self, ids: Iterator[str], owner: str | None) -> Iterator[UploadedFile]:
        for file_id in ids:
            try:
                yield self.get(file_id, owner)
            except (ProblemDetail, OSError):
                # Another owner's file, or one that was removed meanwhile.
                continue


def _size_of(content: BinaryIO) -> int:
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    return size


def _copied(source: BinaryIO, target: Path) -> tuple[int, str, str]:
    # The MD5 is an ETag for clients and protects nothing.
    size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ProblemDetail(413, f"A file must be at most {MAX_FILE_BYTES} bytes.", "Payload too large")
            sha256.update(chunk)
            md5.update(chunk)
            file.write(chunk)
    return size, sha256.hexdigest(), md5.hexdigest()


def _not_found(file_id: str) -> ProblemDetail:
    return ProblemDetail(404, f"There is no file {file_id[:80]!r}.")


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
