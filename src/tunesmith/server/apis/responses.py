"""Requests that are held open until the music is there, and cancelled when the caller hangs up."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel

from tunesmith.jobs.fallback import fallback_for
from tunesmith.jobs.job import Job, JobState, Submission
from tunesmith.jobs.service import MusicService
from tunesmith.server.errors import JobFailed

CHUNK_BYTES = 64 * 1024
MAX_WARNINGS_BYTES = 4 * 1024
"""The longest list of warnings in a header; clients take headers of 8 KiB together."""
MAX_LICENCE = 2_000
"""The longest licence in a header."""
READ_WHOLE_BYTES = 4 << 20
"""Up to what size a file is read in one go, which takes one change of thread instead of four."""


async def run_and_wait(service: MusicService, submission: Submission, request: Request) -> Job:
    """Submit and wait for the music; the job is cancelled if the caller goes. Raises JobFailed without music.

    Where the server is what goes, the job stays in the queue.
    """
    job = await service.submit(submission)
    made = asyncio.ensure_future(service.wait(job))
    gone = asyncio.ensure_future(_cancel_on_disconnect(request))
    try:
        await asyncio.wait({made, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not made.done():
            await service.cancel(job.id)
        job = await made
    finally:
        gone.cancel()
        made.cancel()
    return require_success(job)


def warnings_of(job: Job) -> tuple[str, ...]:
    """Return what was warned of when a job's music was made; nothing before that."""
    return tuple(map(str, job.metadata.get("warnings") or ()))


def require_success(job: Job) -> Job:
    """Return a job that has music; raises JobFailed for any other."""
    if job.state is not JobState.SUCCEEDED:
        raise JobFailed(job.failure)
    return job


async def _cancel_on_disconnect(request: Request) -> None:
    """Return when the caller has closed the connection; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def headers_of(job: Job) -> dict[str, str]:
    """Return what every answer with music says about it."""
    said = {
        "x-tunesmith-job": job.id,
        "x-tunesmith-model": job.generated_by,
        "x-tunesmith-seed": job.metadata.get("seed", job.request.seed),
        "x-tunesmith-license": _shortened(job.metadata.get("licence")),
        "x-tunesmith-stand-in-for": fallback_for(job),
        "x-tunesmith-warnings": _warnings_header(job),
    }
    return {name: _in_a_header(str(value)) for name, value in said.items() if value is not None}


def _shortened(licence: object) -> str | None:
    """Return a licence that fits into a header; that of very many works is cut, which says so."""
    text = None if licence is None else str(licence)
    return text if text is None or len(text) <= MAX_LICENCE else f"{text[:MAX_LICENCE]} ... (all of it is in the file)"


def _warnings_header(job: Job) -> str | None:
    """Return a job's warnings as a JSON list in ASCII, as many as fit; None where there are none."""
    kept: list[str] = []
    for warning in warnings_of(job):
        if len(json.dumps([*kept, warning])) <= MAX_WARNINGS_BYTES:
            kept.append(warning)
    return json.dumps(kept) if kept else None


def _in_a_header(text: str) -> str:
    """Return a text as a header can hold it: in one line of Latin-1."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")


async def full_response(path: Path, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with a file and its length."""
    content = await asyncio.to_thread(_content, path)
    if content is None:
        return FileResponse(path, media_type=media_type, headers=dict(headers))
    return Response(content, media_type=media_type, headers=dict(headers))


def _content(path: Path) -> bytes | None:
    """Read a file, unless it is too large to be in memory for every caller at once."""
    with path.open("rb") as file:
        return file.read() if os.fstat(file.fileno()).st_size <= READ_WHOLE_BYTES else None


def streaming_response(pieces: Iterator[bytes], media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer piece by piece."""
    return StreamingResponse(pieces, media_type=media_type, headers=dict(headers))


def file_pieces(path: Path) -> Iterator[bytes]:
    """Cut a file into pieces of CHUNK_BYTES."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


SILENCE_SECONDS = 15.0
"""How long a stream is silent at most, for proxies that cut silent connections."""

STILL_HERE = ": still here\n\n"
SSE_MEDIA_TYPE = "text/event-stream"
SSE_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def sse_event(kind: str, content: BaseModel) -> str:
    """Return one event as it is sent."""
    return f"event: {kind}\ndata: {content.model_dump_json()}\n\n"


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Answer with events as they come."""
    return StreamingResponse(events, media_type=SSE_MEDIA_TYPE, headers=SSE_HEADERS)
