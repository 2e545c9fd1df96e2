"""The music service in memory: every job is a second of silence, made at once, or held until somebody cancels it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import cast

import numpy as np
from fastapi import Request

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio
from tunesmith.config import Settings
from tunesmith.errors import JobNotFound, RateLimited, TunesmithError, UnknownName
from tunesmith.jobs.job import Failure, Job, JobResult, JobState, Submission
from tunesmith.jobs.job_streams import JobStreams
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import Unauthenticated

MODELS = ("composer", "facebook/musicgen-small")
TOKEN = "ts_right"


@dataclass(frozen=True)
class FakeCaller:
    """Who calls."""

    owner: str = "somebody"


class FakeService:
    """What every dialect talks to. ``failure`` fails all jobs, ``held`` leaves them running, ``refusal`` is raised."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        self.submissions: list[Submission] = []
        self.failure: Failure | None = None
        self.refusal: TunesmithError | None = None
        self.held = False
        self.submitted, self.canceled = threading.Event(), threading.Event()
        self.streams = JobStreams()
        self._ended: dict[str, asyncio.Event] = {}

    async def submit(self, submission: Submission) -> Job:
        if self.refusal:
            raise self.refusal
        if submission.request.model not in MODELS:
            raise UnknownName("model", submission.request.model, MODELS)
        self.submissions.append(submission)
        job = _queued(f"job{len(self.jobs)}", submission)
        self.jobs[job.id], self._ended[job.id] = job, asyncio.Event()
        if not self.held:
            self.succeed(job.id)
        self.submitted.set()
        return job

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        job = self.jobs.get(job_id)
        if job is None or (owner is not None and job.owner != owner):
            raise JobNotFound(job_id)
        return job

    async def wait(self, job: Job, timeout: float | None = None) -> Job:
        await asyncio.wait_for(self._ended[job.id].wait(), timeout)
        return self.jobs[job.id]

    async def cancel(self, job_id: str) -> Job:
        if not self.jobs[job_id].state.is_final:
            self.jobs[job_id] = replace(self.jobs[job_id], state=JobState.CANCELED)
            self._ended[job_id].set()
            self.canceled.set()
        return self.jobs[job_id]

    def cancel_soon(self, job_id: str) -> None:
        self._cancelling = asyncio.ensure_future(self.cancel(job_id))

    async def events(self, job_id: str) -> AsyncIterator[Job]:
        job = self.jobs[job_id]
        yield replace(job, state=JobState.QUEUED, progress=0.0)
        yield replace(job, state=JobState.RUNNING, progress=0.5, stage="playing")
        yield await self.wait(job)

    def result_path(self, job: Job) -> Path:
        path = self.folder / sha256(job.id.encode()).hexdigest()  # which says nothing of the format
        if not path.exists():
            channels = 1 if job.request.mono else 2
            time = np.arange(job.request.sample_rate, dtype=np.float32) / job.request.sample_rate
            tone = np.sin(2 * np.pi * 440 * time, dtype=np.float32) * np.float32(0.5)
            made = path.with_suffix(f".{job.options.format}")
            write_audio(Audio(np.tile(tone, (channels, 1)), job.request.sample_rate), made).rename(path)
        return path

    def succeed(self, job_id: str) -> None:
        job = self.jobs[job_id]
        if self.failure:
            self.jobs[job_id] = replace(job, state=JobState.FAILED, failure=self.failure)
        else:
            result = JobResult("0" * 64, job.options.format, 1, 1.0, job.request.sample_rate, 2)
            seed = {"seed": job.request.seed or 1234}
            self.jobs[job_id] = replace(job, state=JobState.SUCCEEDED, result=result, metadata=seed, progress=1.0)
        self._ended[job_id].set()


def _queued(job_id: str, submission: Submission) -> Job:
    return Job(
        id=job_id, state=JobState.QUEUED, request=submission.request, options=submission.options,
        model=submission.model or submission.request.model,
        generated_by=submission.generated_by or submission.request.model, dialect=submission.dialect, priority=0,
        owner=submission.owner, idempotency_key=None, progress=0.0, stage="", eta_seconds=None, created_at=0.0,
        started_at=None, running_at=None, finished_at=None, attempts=1, worker=None, result=None, failure=None,
        metadata={}, data_removed=False,
    )  # fmt: skip


@dataclass(frozen=True)
class FakeContext:
    """What a dialect is made with; the token is TOKEN. ``limited`` tells every caller to come back later."""

    service: FakeService
    settings: Settings = field(default_factory=Settings)
    limited: bool = field(default=False)

    async def authenticate(self, request: Request) -> FakeCaller:
        """Take ``xi-api-key`` and ``Authorization: Bearer``."""
        given = request.headers.get("xi-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if given != TOKEN:
            raise Unauthenticated("the token is not valid")
        if self.limited:
            raise RateLimited("60 requests a minute", 7)
        caller = request.state.caller = FakeCaller()
        return caller


def fake_context(service: FakeService, *, limited: bool = False) -> ApiContext:
    """Return what an API's router is made with, around a fake service."""
    return cast("ApiContext", FakeContext(service, limited=limited))
