"""The flow of a job: submit it, wait for its end, cancel it if the wait stops, download its result."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from tunesmith.client.http import open_with_retries, send_with_retries
from tunesmith.client.remote_job import ProgressListener, RemoteJob
from tunesmith.client.reply import Reply, foreign_reply_error
from tunesmith.client.request_fields import request_fields
from tunesmith.client.retries import MAX_UNANSWERED, Deadline, pause_after
from tunesmith.client.transport import ApiRequest, Transport
from tunesmith.errors import ApiError, DeadlineExceeded, GenerationFailed, ServerUnreachable

WAIT_SECONDS, LOOK_SECONDS = 20.0, 0.5
"""How long the server holds a long poll for a job's end, without and with a progress listener."""

AGAIN_SECONDS = 0.1
"""The pause after a long poll that the server answers too soon."""

UNDO_SECONDS = 2.0
"""The timeout of each request that cancels a job."""

# The status of a reply that has only the range asked for.
PARTIAL = 206

JobId = Callable[[Reply], str]
"""Returns the id of the job that a reply tells of. Raises ApiError."""


def post_once(
    path: str, body: Mapping[str, Any], *, streams: bool = False, idempotency_key: str | None = None
) -> ApiRequest:
    """Return a POST with an idempotency key, by default a new one: it takes effect once however often it is sent."""
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    return ApiRequest("POST", path, body, headers=headers, streams=streams)


def submission_of(prompt: str, fields: Mapping[str, Any], idempotency_key: str | None = None) -> ApiRequest:
    """Return the request that submits a job; raises InvalidRequest."""
    return post_once("/api/jobs", request_fields(prompt, fields), idempotency_key=idempotency_key)


async def run_job(
    transport: Transport, submission: ApiRequest, deadline: Deadline, listener: ProgressListener | None = None
) -> RemoteJob:
    """Submit a job and return it once it has succeeded; cancel it if anything stops the wait."""
    job, _ = await _run(transport, submission, deadline, listener, lambda reply: RemoteJob.of(reply.document()).id)
    return job


async def run_variation(
    transport: Transport, variation: ApiRequest, deadline: Deadline, listener: ProgressListener | None = None
) -> tuple[RemoteJob, Mapping[str, Any]]:
    """Submit one variation; return its job once it has succeeded, and what was understood.

    Cancels the job if anything stops the wait.
    """
    job, reply = await _run(transport, variation, deadline, listener, _only_job)
    change = reply.document().get("change")
    return job, change if isinstance(change, dict) else {}


def _only_job(reply: Reply) -> str:
    try:
        return str(reply.part("jobs")[0]["id"])
    except (LookupError, TypeError):
        raise foreign_reply_error(reply.status) from None


async def _run(
    transport: Transport, submission: ApiRequest, deadline: Deadline, listener: ProgressListener | None, id_of: JobId
) -> tuple[RemoteJob, Reply]:
    if not deadline.left:
        raise DeadlineExceeded(f"no time left: the deadline is {deadline.seconds:g} s")
    job_id = None
    try:
        reply = await send_with_retries(transport, submission, deadline)
        job_id = id_of(reply)
        job = await wait_for_job(transport, job_id, deadline, listener)
    except GeneratorExit:
        # The coroutine is being closed and may not await anything.
        raise
    except BaseException as error:
        # A job that the server refused does not exist.
        if job_id is not None or not isinstance(error, ApiError):
            await _cancel(transport, submission, job_id, id_of)
        raise
    return checked_success(job), reply


async def _cancel(transport: Transport, submission: ApiRequest, job_id: str | None, id_of: JobId) -> None:
    if job_id is None:
        # The job may exist although no reply came. The same idempotency key leads to it.
        reply = await transport.send(submission, UNDO_SECONDS)
        with suppress(ApiError):
            job_id = id_of(reply) if reply.is_good else None
    if job_id is not None:
        await transport.send(ApiRequest("DELETE", f"/api/jobs/{job_id}"), UNDO_SECONDS)


async def wait_for_job(
    transport: Transport, job_id: str, deadline: Deadline, listener: ProgressListener | None
) -> RemoteJob:
    """Wait for the end of a job and return it; ``job_id`` must be quoted for a path. Raises DeadlineExceeded."""
    longest = LOOK_SECONDS if listener is not None else WAIT_SECONDS
    while True:
        # Half of what is left, so that the reply comes before the deadline.
        wait = min(longest, deadline.left / 2)
        due = deadline.clock() + wait
        request = ApiRequest("GET", f"/api/jobs/{job_id}", query={"wait": f"{wait:.3f}"})
        job = RemoteJob.of((await send_with_retries(transport, request, deadline)).document())
        if listener is not None:
            listener(job)
        if job.is_final:
            return job
        if deadline.left <= AGAIN_SECONDS:
            raise DeadlineExceeded(f"after {deadline.seconds:g} s job {job_id} is {job.state} at {job.progress:.0%}")
        if deadline.clock() < due:
            await transport.sleep(AGAIN_SECONDS)


def checked_success(job: RemoteJob) -> RemoteJob:
    """Return a job that succeeded; raises GenerationFailed for any other."""
    if job.state != "succeeded":
        error = job.document.get("error") or {}
        ended = "it was cancelled" if job.state == "canceled" else f"it is {job.state}"
        raise GenerationFailed(str(error.get("type") or job.state), f"job {job.id}: {error.get('message') or ended}")
    return job


def audio_path(job: RemoteJob) -> str:
    """Return the path of a job's audio file; raises GenerationFailed for one that has not succeeded."""
    return f"/api/jobs/{checked_success(job).id}/audio"


async def download(
    transport: Transport, path: str, deadline: Deadline, query: Mapping[str, str] | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield a file in chunks; if the connection breaks, resume with a range request on a new one."""
    received = breaks = 0
    while True:
        # A range of a compressed body would not be a range of the file.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={received}-"} if received else {})}
        request = ApiRequest("GET", path, query=query or {}, headers=headers, streams=True)
        async with aclosing(await open_with_retries(transport, request, deadline)) as body:
            # A server without ranges sends the whole file again.
            repeated = 0 if body.status == PARTIAL else received
            try:
                while (chunk := await body.next_chunk(deadline.left)) is not None:
                    fresh = chunk[repeated:]
                    repeated -= len(chunk) - len(fresh)
                    if not fresh:
                        continue
                    breaks, received = 0, received + len(fresh)
                    # A slow but steady body never exceeds the limit of a single read.
                    if not deadline.left:
                        raise _late(path, deadline)
                    yield fresh
                return
            except ServerUnreachable:
                breaks += 1
                if not deadline.left:
                    raise _late(path, deadline) from None
                if breaks >= MAX_UNANSWERED:
                    raise
        await transport.sleep(min(deadline.left, pause_after(breaks, Reply(0))))


def _late(path: str, deadline: Deadline) -> DeadlineExceeded:
    return DeadlineExceeded(f"GET {path} took longer than {deadline.seconds:g} s")


async def read_file(
    transport: Transport, path: str, deadline: Deadline, query: Mapping[str, str] | None = None
) -> bytes:
    """Return a whole file; see download."""
    async with aclosing(download(transport, path, deadline, query)) as chunks:
        return b"".join([chunk async for chunk in chunks])
