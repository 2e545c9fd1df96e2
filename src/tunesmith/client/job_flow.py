"""Making: jobs handed in, waited for to their end, undone where nobody waits any longer, and their files fetched."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.client.http import Pause, ReadBytes, Send, Steps, request_with_retries
from tunesmith.client.remote_job import ProgressListener, RemoteJob
from tunesmith.client.request_fields import request_fields
from tunesmith.client.retries import MAX_UNANSWERED, Deadline, Reply, pause_after
from tunesmith.errors import ApiError, DeadlineExceeded, GenerationFailed, ServerUnreachable

WAIT_SECONDS, LOOK_SECONDS = 20.0, 0.5
"""How long the server is asked to wait for a job's end, and how long where somebody watches its progress."""

AGAIN_SECONDS = 0.1
"""A server that answers sooner than asked is not asked again at once."""

UNDO_SECONDS = 2.0
PARTIAL = 206


def post(path: str, body: Mapping[str, Any], *, opens: bool = False) -> Send:
    """Return a request that may be repeated and still has its effect once."""
    return Send("POST", path, body, headers={"Idempotency-Key": uuid.uuid4().hex}, opens=opens)


def submit(prompt: str, wishes: Mapping[str, Any]) -> Send:
    """Return the request that hands a job in."""
    return post("/api/jobs", request_fields(prompt, wishes))


def run_job(
    prompt: str, wishes: Mapping[str, Any], until: Deadline, listener: ProgressListener | None = None
) -> Steps[RemoteJob]:
    """Hand a job in and return it once it has succeeded; it is cancelled where anything stops the wait."""
    handing_in, job_id = submit(prompt, wishes), None
    if not until.left:
        raise DeadlineExceeded(f"there is no time: the deadline is {until.seconds:g} s")
    try:
        job = RemoteJob.of((yield from request_with_retries(handing_in, until)).document())
        job_id = job.id
        job = yield from finished(job_id, until, listener)
    except GeneratorExit:
        raise  # nothing can be asked any more
    except BaseException as stopped:
        if job_id is not None or not isinstance(stopped, ApiError):  # a job that was refused is none
            yield from _cancel_on_error(handing_in, job_id)
        raise
    return succeeded(job)


def _cancel_on_error(handing_in: Send, job_id: str | None) -> Steps[None]:
    if job_id is None:  # it may be there though no answer came; with its key the same one is told again
        reply: Reply = yield replace(handing_in, seconds=UNDO_SECONDS)
        with suppress(ApiError):
            job_id = str(reply.part("id")) if reply.is_good else None
    if job_id is not None:
        yield Send("DELETE", f"/api/jobs/{job_id}", seconds=UNDO_SECONDS)


def finished(job_id: str, until: Deadline, listener: ProgressListener | None) -> Steps[RemoteJob]:
    """Return a job at its end."""
    longest = LOOK_SECONDS if listener is not None else WAIT_SECONDS
    while True:
        wait = min(longest, until.left / 2)  # the answer must be here before the deadline
        due = until.clock() + wait
        reply: Reply = yield from request_with_retries(
            Send("GET", f"/api/jobs/{job_id}", query={"wait": f"{wait:.3f}"}), until
        )
        job = RemoteJob.of(reply.document())
        if listener is not None:
            listener(job)
        if job.is_final:
            return job
        if until.left <= AGAIN_SECONDS:
            raise DeadlineExceeded(f"after {until.seconds:g} s job {job_id} is {job.state} at {job.progress:.0%}")
        if until.clock() < due:
            yield Pause(AGAIN_SECONDS)


def succeeded(job: RemoteJob) -> RemoteJob:
    """Return a job that has made music; raises GenerationFailed for any other."""
    if job.state != "succeeded":
        error = job.document.get("error") or {}
        ended = "it was cancelled" if job.state == "canceled" else f"it is {job.state}"
        raise GenerationFailed(str(error.get("type") or job.state), f"job {job.id}: {error.get('message') or ended}")
    return job


@dataclass
class ResultDownload:
    """A file of the server's that is read piece by piece; where the connection breaks it goes on on a new one."""

    path: str
    until: Deadline
    received: int = 0
    _known: int = field(default=0, init=False)
    _is_open: bool = field(default=False, init=False)
    _breaks: int = field(default=0, init=False)

    def next(self) -> Steps[bytes | None]:
        """Return the next piece, None at the end."""
        while True:
            if not self._is_open:
                yield from self._opened()
            try:
                piece: bytes | None = yield ReadBytes(self.until.left)
            except ServerUnreachable:
                self._breaks += 1
                self._is_open = False
                if not self.until.left:
                    raise self._late() from None
                if self._breaks >= MAX_UNANSWERED:
                    raise
                yield Pause(min(self.until.left, pause_after(self._breaks, Reply(0))))
                continue
            if piece is None:
                return None
            fresh = piece[self._known :]
            self._known -= len(piece) - len(fresh)
            if fresh:
                self._breaks = 0
                self.received += len(fresh)
                if not self.until.left:
                    raise self._late()
                return fresh

    def whole(self) -> Steps[bytes]:
        """Return all that is still to come."""
        content = bytearray()
        while (piece := (yield from self.next())) is not None:
            content += piece
        return bytes(content)

    def _opened(self) -> Steps[None]:
        headers = {"Accept-Encoding": "identity"}  # a range of what is compressed is none of the file
        if self.received:
            headers["Range"] = f"bytes={self.received}-"
        reply = yield from request_with_retries(Send("GET", self.path, headers=headers, opens=True), self.until)
        self._known = 0 if reply.status == PARTIAL else self.received  # whoever knows no ranges sends it all again
        self._is_open = True

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(f"GET {self.path} took longer than {self.until.seconds:g} s")


def audio_of(job: RemoteJob, until: Deadline) -> ResultDownload:
    """Return the file of a job that has succeeded; raises GenerationFailed for one that has not."""
    return ResultDownload(f"/api/jobs/{succeeded(job).id}/audio", until)
