"""Responses that play while the music is made: the growing stream of a job, or its file if the model cannot stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import ClientDisconnect

from tunesmith.jobs.job import Job, Submission
from tunesmith.jobs.job_streams import JobStream, StreamBroken
from tunesmith.jobs.service import MusicService
from tunesmith.server.apis.responses import file_chunks, require_success, until_disconnect

RANGES = "bytes"
Live = Annotated[bool, Query(description="Send the audio while it is made, if the model can do that.")]


class BrokenOff(ClientDisconnect):
    """The end of a response that cannot be completed; like a client's disconnect, only the connection tells of it."""


@dataclass(frozen=True, slots=True)
class LiveMusic:
    """Music to send: the job as it is known now, with its metadata, and the bytes of the sound as they come."""

    job: Job
    chunks: AsyncIterator[bytes]


async def submit_and_stream(service: MusicService, submission: Submission, request: Request) -> LiveMusic:
    """Submit a job and return its music as soon as there is some.

    A caller that disconnects cancels the job, unless somebody else listens to it or waits for it. Raises as
    ``run_and_wait``.
    """
    options = replace(submission.options, stream=True)
    job = await service.submit(replace(submission, options=options))
    listening = contextlib.ExitStack()
    stream = listening.enter_context(service.streams.listening(job.id))
    gone = asyncio.ensure_future(until_disconnect(request))
    try:
        job = await begun(service, job, stream, gone)
    except BaseException:
        listening.close()
        raise
    finally:
        gone.cancel()
    # A run that broke off has left a stream behind, even if another run succeeded.
    if stream.path is None or stream.is_broken:
        listening.close()
        return LiveMusic(job, iterate_in_threadpool(file_chunks(service.result_path(job))))
    return LiveMusic(replace(job, metadata=stream.metadata), _heard(service, job, stream, listening))


async def begun(service: MusicService, job: Job, stream: JobStream, gone: asyncio.Future[None] | None = None) -> Job:
    """Wait until the stream of a job has begun, or the job has succeeded without one.

    ``gone`` is done once the caller has left, which cancels the job. Raises JobFailed and ServerStopping.
    """
    finished = asyncio.ensure_future(service.wait(job))
    opened = asyncio.ensure_future(stream.opened())
    try:
        awaited: set[asyncio.Future[Any]] = {finished, opened, *([gone] if gone is not None else [])}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        if stream.written and not stream.is_broken:
            return job
        if gone is not None and gone.done() and not finished.done():
            await service.cancel(job.id)
        return require_success(await finished)
    finally:
        opened.cancel()
        finished.cancel()


async def _heard(
    service: MusicService, job: Job, stream: JobStream, listening: contextlib.ExitStack
) -> AsyncIterator[bytes]:
    is_over = False
    try:
        async with contextlib.aclosing(unbroken(stream.chunks())) as chunks:
            async for chunk in chunks:
                yield chunk
        is_over = True
    finally:
        listening.close()
        # The last one who waited has left, so nobody needs the rest.
        if not is_over and not stream.has_ended and not stream.listeners:
            service.cancel_soon(job.id)


async def unbroken(chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the chunks; a stream that breaks ends the connection."""
    try:
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    except StreamBroken as error:
        raise BrokenOff from error


def live_response(stream: JobStream, wanted: str | None, media_type: str, headers: dict[str, str]) -> Response:
    """Return the stream as it grows; ``wanted`` is a Range header, honoured for what exists.

    A whole stream of known length states it, and is sent until that. A range that begins behind what exists is a 416.
    """
    start, stop = 0, stream.size
    given = _range(wanted)
    headers = {**headers, "accept-ranges": RANGES, "cache-control": "no-store"}
    whole = stream.size if stream.size is not None else stream.written if stream.has_ended else None
    if given is None or (given == (0, None) and whole is None):
        if whole is not None:
            headers["content-length"] = str(whole)
        return StreamingResponse(unbroken(stream.chunks()), media_type=media_type, headers=headers)
    start, last = given
    if start >= stream.written and (whole is None or start >= whole):
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{whole or stream.written}"})
    # An open range of unknown length ends with what exists: its last byte must be stated now.
    stop = min(whole if whole is not None else stream.written, *([last + 1] if last is not None else []), 1 << 62)
    headers["content-range"] = f"bytes {start}-{stop - 1}/{'*' if whole is None else whole}"
    headers["content-length"] = str(stop - start)
    return StreamingResponse(unbroken(stream.chunks(start, stop)), 206, headers, media_type)


def _range(wanted: str | None) -> tuple[int, int | None] | None:
    """Return first and last byte of a Range header with one range from the start; any other is ignored, as HTTP allows.

    An open range has no last byte.
    """
    unit, _, spec = (wanted or "").partition("=")
    first, dash, last = spec.partition("-")
    if unit.strip() != RANGES or not dash or not first.strip().isdecimal() or len(spec) > 40:
        return None
    if last.strip() and not last.strip().isdecimal():
        return None
    start, end = int(first), int(last) if last.strip() else None
    return None if end is not None and end < start else (start, end)
