"""Responses with audio: wait for the job, cancel it if the caller disconnects, and send the file."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel

from tunesmith.jobs.job import Job, JobState, Submission
from tunesmith.jobs.service import MusicService
from tunesmith.server.errors import JobFailed

CHUNK_BYTES = 64 * 1024
MAX_WARNINGS_BYTES = 4 * 1024
"""The longest list of warnings in a header, in bytes; clients accept 8 KiB for all headers together."""
MAX_LICENCE = 2_000
"""The longest licence in a header, in characters."""
READ_INLINE_BYTES = 256 << 10
"""The largest file in bytes that is read on the event loop: it is in memory, and a switch of threads takes longer."""

READ_WHOLE_BYTES = 4 << 20
"""The largest file in bytes that is read at once, which takes one switch of threads instead of four."""


async def run_and_wait(service: MusicService, submission: Submission, request: Request) -> Job:
    """Submit a job and return it once it has succeeded; a caller that disconnects cancels it.

    Raises JobFailed, ServerStopping and what ``submit`` raises. If the server shuts down, the job stays in the queue.
    """
    job = await service.submit(submission)
    watching = asyncio.create_task(_cancel_when_gone(service, job.id, request))
    try:
        return require_success(await service.wait(job))
    finally:
        watching.cancel()


async def _cancel_when_gone(service: MusicService, job_id: str, request: Request) -> None:
    await until_disconnect(request)
    # This ends the wait for the job too.
    await service.cancel(job_id)


def warnings_of(job: Job) -> tuple[str, ...]:
    """Return the warnings of a finished job; none before its end."""
    return tuple(map(str, job.metadata.get("warnings") or ()))


def require_success(job: Job) -> Job:
    """Return the job if it succeeded. Raises JobFailed otherwise."""
    if job.state is not JobState.SUCCEEDED:
        raise JobFailed(job.failure)
    return job


async def until_disconnect(request: Request) -> None:
    """Return when the caller disconnects; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def headers_of(job: Job) -> dict[str, str]:
    """Return the headers that describe the music in every response."""
    values = {
        "x-tunesmith-job": job.id,
        "x-tunesmith-model": job.generated_by,
        "x-tunesmith-seed": job.metadata.get("seed", job.request.seed),
        "x-tunesmith-license": _shortened(job.metadata.get("licence")),
        "x-tunesmith-stand-in-for": job.fallback_for,
        "x-tunesmith-warnings": _warnings_header(job),
    }
    return {name: _in_a_header(str(value)) for name, value in values.items() if value is not None}


def _shortened(licence: object) -> str | None:
    """Return a licence cut to the length of a header, with a note if it was cut."""
    text = None if licence is None else str(licence)
    return text if text is None or len(text) <= MAX_LICENCE else f"{text[:MAX_LICENCE]} ... (full text in the file)"


def _warnings_header(job: Job) -> str | None:
    """Return a job's warnings as an ASCII JSON list, as many as fit, or None."""
    kept: list[str] = []
    for warning in warnings_of(job):
        # The client parses the header as JSON, so it must not be cut in the middle.
        if len(json.dumps([*kept, warning])) <= MAX_WARNINGS_BYTES:
            kept.append(warning)
    return json.dumps(kept) if kept else None


def _in_a_header(text: str) -> str:
    """Return a text as a header value: one line of Latin-1."""
    # A line break in a value would let it inject further headers.
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")


async def full_response(path: Path, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return a response with a whole file and its Content-Length."""
    is_small = path.stat().st_size <= READ_INLINE_BYTES
    content = _content(path) if is_small else await asyncio.to_thread(_content, path)
    if content is None:
        return FileResponse(path, media_type=media_type, headers=dict(headers))
    return Response(content, media_type=media_type, headers=dict(headers))


def _content(path: Path) -> bytes | None:
    """Return the content of a file, None if it is too large to hold in memory for many callers at once."""
    with path.open("rb") as file:
        return file.read() if os.fstat(file.fileno()).st_size <= READ_WHOLE_BYTES else None


def streaming_response(
    chunks: Iterator[bytes] | AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return a chunked response."""
    return StreamingResponse(chunks, media_type=media_type, headers=dict(headers))


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file in chunks of ``CHUNK_BYTES``."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


SILENCE_SECONDS = 15.0
"""The longest silence of a stream in seconds: proxies cut idle connections."""

STILL_HERE = ": still here\n\n"
SSE_MEDIA_TYPE = "text/event-stream"
# Nginx would otherwise buffer the events.
SSE_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def sse_event(kind: str, content: BaseModel | str, event_id: str | None = None) -> str:
    """Return a server-sent event with a JSON document or a text, of which each line becomes a ``data`` line."""
    text = content if isinstance(content, str) else content.model_dump_json()
    named = "" if event_id is None else f"id: {event_id}\n"
    return f"event: {kind}\n{named}" + "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Return a response with server-sent events."""
    return StreamingResponse(events, media_type=SSE_MEDIA_TYPE, headers=SSE_HEADERS)
