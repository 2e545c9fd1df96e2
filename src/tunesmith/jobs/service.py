"""MusicService: what every dialect talks to. The database's work is done in threads, so the event loop stays free."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tunesmith.errors import JobNotFound
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.fallback import submission_for_stand_in
from tunesmith.jobs.job import Claim, Job, Submission
from tunesmith.jobs.job_cache import JobCache
from tunesmith.jobs.queue_positions import QueueSnapshot
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.store import JobFilter, JobPage, JobStore, SubmitResult, WorkerSlot
from tunesmith.jobs.subscriptions import Feed, JobSubscriptions
from tunesmith.jobs.uploads import UploadStore
from tunesmith.models.factories import COMPOSER
from tunesmith.models.resolution import resolve

log = logging.getLogger("tunesmith.job")


class JobStarter(Protocol):
    """What starts the work on jobs: the dispatcher."""

    def wake(self, cancelled: str | None = None) -> None:
        """Look at the queue; ``cancelled`` is the id of a job that was cancelled."""

    def reserve(self, model: str) -> WorkerSlot | None:
        """Reserve a place for a job that is being submitted, if there is any."""

    def release(self, model: str) -> None:
        """Give the place back."""

    def start(self, claim: Claim) -> None:
        """Work on a job in its reserved place."""


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """What jobs make, and the recordings they need."""

    results: ResultFiles
    inputs: UploadStore


class MusicService:
    """Jobs handed in, followed and cancelled; their files."""

    def __init__(
        self, store: JobStore, files: ServiceFiles, changes: JobEvents, starter: JobStarter, *, stand_ins: bool
    ) -> None:
        self._store = store
        self._files = files
        self._changes = changes
        self._following = JobSubscriptions(store.get_many, changes)
        self._reads = JobCache(store.get)
        changes.subscribe(self._reads.hear)
        self._starter = starter
        self._stand_ins = stand_ins

    async def submit(self, submission: Submission) -> Job:
        """Queue a job; raises InvalidRequest, UnknownName, ModelNotInstalled, QueueFull and IdempotencyConflict."""
        submitted = await asyncio.to_thread(self._submit, submission)
        if submitted.claim is None:
            self._starter.wake()
        return submitted.job

    def _submit(self, submission: Submission) -> SubmitResult:
        asked = submission.model or submission.request.model
        request = submission.request
        if request.seed is None:  # drawn here, so that a job that is tried again makes the same music
            request = request.model_copy(update={"seed": _draw_seed(submission)})
        made_by = submission.generated_by or resolve(asked, stand_ins=self._stand_ins).generated_by
        submission = replace(submission, request=request, model=asked, generated_by=made_by)
        if made_by == COMPOSER != asked:
            submission = submission_for_stand_in(submission)
        return self._start_or_queue(submission, made_by)

    def _start_or_queue(self, submission: Submission, model: str) -> SubmitResult:
        """Submit the job, and start it here where there is a free place for it.

        Raises FolderUnavailable where its music could not be kept.
        """
        self._files.results.prepare()
        place, claim = self._starter.reserve(model), None
        try:
            submitted = self._store.submit(submission, place)
            claim = submitted.claim
        finally:
            if place is not None and claim is None:
                self._starter.release(model)
        job = submitted.job
        if submitted.created:
            about = {"job_id": job.id, "model": job.generated_by, "dialect": job.dialect, "asked_for": job.model}
            log.info("job queued", extra=about)
        if claim is not None:
            self._starter.start(claim)  # here, not in the caller, who may be gone before this thread is done
        return submitted

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """Return a job; raises JobNotFound, for another owner's job too."""
        job = await self._reads.get(job_id)
        if owner is not None and job.owner != owner:
            raise JobNotFound(job_id)
        return job

    async def wait(self, job: Job, timeout: float | None = None) -> Job:
        """Return the job at its end, or as it is after ``timeout`` seconds; raises ServerStopping."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        with self._following.feed(job.id, job, only_end=True) as feed:
            now: Job | None = job
            while now is not None:
                if now.state.is_final:
                    return now
                now = await feed.after(now, deadline - time.monotonic())
        return await self.get(job.id)

    async def cancel(self, job_id: str) -> Job:
        """Stop a job in whatever state it is."""
        job = await asyncio.to_thread(self._store.cancel, job_id)
        self._changes.publish(job_id)
        self._starter.wake(job_id)
        return job

    async def events(self, job_id: str, deadline: float = float("inf")) -> AsyncGenerator[Job]:
        """Give the job now, and after each change, until its end or the deadline on the monotonic clock."""
        with self._following.feed(job_id) as feed:
            job = await feed.after(None, deadline - time.monotonic())
            while job is not None:
                yield job
                if job.state.is_final:
                    return
                job = await feed.after(job, deadline - time.monotonic())

    def dismiss(self) -> None:
        """Let all go who wait for a job or follow one, because the server is about to end."""
        self._following.end()

    def follow(self, job_id: str) -> AbstractContextManager[Feed]:
        """Give a feed of the job's changes, for callers who do more than wait for them."""
        return self._following.feed(job_id)

    async def page(self, which: JobFilter, limit: int, before: str | None) -> JobPage:
        """Return a page of jobs, newest first."""
        return await asyncio.to_thread(self._store.list, which, limit, before)

    def queue(self) -> QueueSnapshot:
        """Return the queue as it is; reads the database, so call it in a thread."""
        return self._store.queue()

    def result_path(self, job: Job) -> Path:
        """Return the file of a succeeded job; raises JobNotFound once it is gone."""
        path = self._files.results.find(job.result.digest, job.result.bytes) if job.result else None
        if path is None:
            raise JobNotFound(job.id)
        return path

    async def input_file(self, content: bytes, field: str = "audio") -> Path:
        """Keep a recording for a request's ``audio`` or ``melody``; raises InvalidRequest for what is no sound."""
        return await asyncio.to_thread(self._files.inputs.keep, content, field)


def _draw_seed(submission: Submission) -> int:
    """Draw a seed; the same for the same idempotency key, with which the same job is asked for once more."""
    drawn = secrets.token_bytes(8)
    if submission.idempotency_key is not None:
        drawn = hashlib.sha256(f"{submission.owner} {submission.idempotency_key}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 2**31
