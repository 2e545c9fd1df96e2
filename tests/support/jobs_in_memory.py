"""FakeService: jobs in memory whose states advance when a test says so, and a real server around a dialect."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Header, Request
from sounds import wav_bytes

from tunesmith.config import Settings
from tunesmith.errors import JobNotFound, TunesmithError
from tunesmith.jobs.job import Failure, Job, JobResult, JobState, Submission, new_job_id
from tunesmith.jobs.store import JobFilter, JobPage
from tunesmith.server.errors import Unauthenticated

MADE = wav_bytes()


class FakeService:
    """Safe to use from a test while a server's thread talks to it; ``finish_at_once`` makes every job a success."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        self.finish_at_once = False
        self.fail_with: TunesmithError | None = None
        self._changed = threading.Condition()

    async def submit(self, submission: Submission) -> Job:
        if self.fail_with is not None:
            raise self.fail_with
        for job in self.jobs.values():
            if submission.idempotency_key and job.idempotency_key == submission.idempotency_key:
                return job
        model = submission.model or submission.request.model
        job = Job(
            new_job_id(time.time() + len(self.jobs) / 1000), JobState.QUEUED, submission.request, submission.options,
            model, submission.generated_by or model, submission.dialect, 0, submission.owner,
            submission.idempotency_key, 0.0, "", None, time.time(), None, None, None, 0, None, None, None, {}, False,
        )  # fmt: skip
        self._put(job)
        if self.finish_at_once:
            self.succeed(job.id)
        return self.jobs[job.id]

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        job = self.jobs.get(job_id)
        if job is None or (owner is not None and job.owner != owner):
            raise JobNotFound(job_id)
        return job

    async def wait(self, job: Job, timeout: float | None = None) -> Job:
        await asyncio.to_thread(self._wait_until, lambda: self.jobs[job.id].state.is_final, timeout)
        return self.jobs[job.id]

    async def cancel(self, job_id: str) -> Job:
        if not self.jobs[job_id].state.is_final:
            self.change(job_id, state=JobState.CANCELED, finished_at=time.time())
        return self.jobs[job_id]

    async def events(self, job_id: str) -> AsyncIterator[Job]:
        last: Job | None = None
        while last is None or not last.state.is_final:
            await asyncio.to_thread(self._wait_until, partial(self._is_new, job_id, last), 0.2)
            if self.jobs[job_id] is not last:
                last = self.jobs[job_id]
                yield last

    async def page(self, which: JobFilter, limit: int, before: str | None) -> JobPage:
        found = [
            job for job in sorted(self.jobs.values(), key=lambda job: job.id, reverse=True)
            if which.owner in (None, job.owner) and which.dialect in (None, job.dialect)
            and (which.states is None or job.state in which.states) and (before is None or job.id < before)
        ]  # fmt: skip
        return JobPage(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def result_path(self, job: Job) -> Path:
        assert job.result is not None
        return self.folder / job.result.digest

    async def input_file(self, content: bytes | Path) -> Path:
        assert isinstance(content, bytes)
        path = self.folder / f"{sha256(content).hexdigest()}.wav"
        path.write_bytes(content)
        return path

    def change(self, job_id: str, **values: Any) -> Job:
        return self._put(replace(self.jobs[job_id], **values))

    def run(self, job_id: str, progress: float = 0.0) -> Job:
        now = time.time()
        return self.change(job_id, state=JobState.RUNNING, started_at=now, running_at=now, progress=progress)

    def succeed(self, job_id: str, content: bytes = MADE) -> Job:
        digest = sha256(content).hexdigest()
        (self.folder / digest).write_bytes(content)
        self.run(job_id, 1.0)
        kind = self.jobs[job_id].options.format
        result = JobResult(digest, kind, len(content), 1.0, 8000, 1)
        return self.change(job_id, state=JobState.SUCCEEDED, finished_at=time.time(), result=result)

    def fail(self, job_id: str, message: str) -> Job:
        self.run(job_id, 0.5)
        failure = Failure("InvalidRequest", message)
        return self.change(job_id, state=JobState.FAILED, finished_at=time.time(), failure=failure)

    def again(self, job: Job) -> Job:
        """Put a job in once more."""
        return self._put(replace(job, id=new_job_id(time.time())))

    def newest(self) -> Job:
        """Return the newest job, as soon as there is one."""
        self._wait_until(lambda: bool(self.jobs), 10)
        return max(self.jobs.values(), key=lambda job: job.id)

    def _put(self, job: Job) -> Job:
        with self._changed:
            self.jobs[job.id] = job
            self._changed.notify_all()
        return job

    def _is_new(self, job_id: str, seen: Job | None) -> bool:
        return self.jobs[job_id] is not seen

    def _wait_until(self, condition: Callable[[], bool], timeout: float | None) -> None:
        with self._changed:
            self._changed.wait_for(condition, timeout)


@dataclass(frozen=True)
class FakeCaller:
    """Who sent a request: the token itself is the owner."""

    owner: str | None
    is_anonymous: bool = False


class NoUploadLimits:
    """Takes every upload."""

    async def check(self, owner: str | None, idempotency_key: str | None = None) -> None:
        pass

    async def count(self, owner: str | None, size: int) -> None:
        pass

    def reserve(self, size: int) -> AbstractContextManager[None]:  # noqa: ARG002  the interface's
        return nullcontext()


@dataclass(frozen=True)
class FakeContext:
    """What a dialect is given."""

    service: FakeService
    settings: Settings
    authenticate: Callable[..., Awaitable[FakeCaller]]
    clock: Callable[[], float] = time.time
    uploads: NoUploadLimits = field(default_factory=NoUploadLimits)


async def token_is_owner(request: Request, authorization: str = Header("")) -> FakeCaller:
    """Authenticate everybody but those without a token and ``bad``; the caller is in the request's state."""
    token = authorization.removeprefix("Bearer ").removeprefix("Token ")
    if token in ("", "bad"):
        raise Unauthenticated("You did not pass an authentication token")
    caller = request.state.caller = FakeCaller(token)
    return caller


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Run an app on loopback until the block ends; gives its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
