"""MusicService: the job operations of every API. Database work runs in threads, to keep the event loop responsive."""

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

from tunesmith.errors import JobNotFound
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.estimates import QueueSnapshot
from tunesmith.jobs.events import Feed, JobCache, JobEvents, JobSubscriptions
from tunesmith.jobs.job import Job, Submission
from tunesmith.jobs.job_streams import JobStreams
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.store import JobFilter, JobPage, JobStore, SubmitResult
from tunesmith.jobs.uploads import UploadStore
from tunesmith.library.tokens import Allowance
from tunesmith.models.commercial_safety import OPEN_POLICY, CommercialPolicy, check_licence
from tunesmith.models.factories import COMPOSER
from tunesmith.models.resolution import resolve
from tunesmith.request import COMPOSED_ENDINGS, NEURAL_FIELDS, GenerationRequest

log = logging.getLogger("tunesmith.job")


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """The stores of job results and of uploaded recordings."""

    results: ResultFiles
    inputs: UploadStore


class MusicService:
    """The service that submits, follows and cancels jobs, and finds their files. Used from one event loop."""

    def __init__(
        self, store: JobStore, files: ServiceFiles, events: JobEvents, starter: Dispatcher, *, allow_fallback: bool,
        policy: CommercialPolicy = OPEN_POLICY, streams: JobStreams | None = None,
    ) -> None:  # fmt: skip
        """``streams`` are those of the dispatcher."""
        self.streams = streams or JobStreams()
        self._cancelling: set[asyncio.Task[Job]] = set()
        self._store = store
        self._files = files
        self._events = events
        self._following = JobSubscriptions(store.get_many, events)
        self._reads = JobCache(store.get, events)
        self._starter = starter
        self._allow_fallback = allow_fallback
        self._policy = policy

    async def submit(self, submission: Submission) -> Job:
        """Submit a job and return it.

        Raises InvalidRequest, also for a licence that the policy does not accept, UnknownName, ModelNotInstalled,
        RateLimited, QueueFull, IdempotencyConflict and FolderUnavailable.
        """
        submitted = await asyncio.to_thread(self._submit, submission)
        # A job that was claimed at once has been started already.
        if submitted.claim is None:
            self._starter.wake()
        return submitted.job

    def _submit(self, submission: Submission) -> SubmitResult:
        requested = submission.model or submission.request.model
        request = submission.request
        # Drawn here rather than in the runner, so that a retry generates the same music.
        if request.seed is None:
            request = request.model_copy(update={"seed": _draw_seed(submission)})
        generated_by = submission.generated_by or resolve(requested, allow_fallback=self._allow_fallback).generated_by
        for policy in (self._policy, submission.policy):
            # Most servers and callers accept every licence.
            if policy.commercial_safe:
                check_licence(policy, generated_by, request.audio, request.melody)
        submission = replace(submission, request=request, model=requested, generated_by=generated_by)
        if generated_by == COMPOSER != requested:
            submission = submission_for_fallback(submission)
        return self._start_or_queue(submission, generated_by)

    def _start_or_queue(self, submission: Submission, model: str) -> SubmitResult:
        """Submit the job, and start it at once if this server has capacity for it.

        Raises FolderUnavailable if its result could not be stored.
        """
        self._files.results.prepare()
        slot, claim = self._starter.reserve(model), None
        try:
            submitted = self._store.submit(submission, slot)
            claim = submitted.claim
        finally:
            if slot is not None and claim is None:
                self._starter.release(model)
        job = submitted.job
        if submitted.created:
            about = {"job_id": job.id, "model": job.generated_by, "dialect": job.dialect, "asked_for": job.model}
            log.info("job queued", extra=about)
        if claim is not None:
            # Here, in the thread: the caller may be cancelled before it sees the result, and the claim must not be
            # lost.
            self._starter.start(claim)
        return submitted

    async def get(self, job_id: str, owner: str | None = None) -> Job:
        """Return a job. Raises JobNotFound, also for a job of another owner, so that ids cannot be probed."""
        job = await self._reads.get(job_id)
        if owner is not None and job.owner != owner:
            raise JobNotFound(job_id)
        return job

    async def wait(self, job: Job, timeout: float | None = None) -> Job:
        """Return the job once it has ended, or as it is after ``timeout`` seconds.

        Raises JobNotFound, and ServerStopping if the server shuts down first.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        with self._following.feed(job.id, job, only_end=True) as feed:
            now: Job | None = job
            while now is not None:
                if now.state.is_final:
                    return now
                now = await feed.after(now, deadline - time.monotonic())
        # After a timeout: the state may have changed, though the job has not ended.
        return await self.get(job.id)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job unless it has ended, and return it. Raises JobNotFound."""
        job = await asyncio.to_thread(self._store.cancel, job_id)
        self._events.publish(job_id)
        # Stops the job at once if it runs here; another server finds out from the database.
        self._starter.wake(job_id)
        return job

    def cancel_soon(self, job_id: str) -> None:
        """Cancel a job without waiting for it, for callers that are being cancelled; one that is waited for stays."""
        if self._following.has_followers(job_id):
            return
        cancelling = asyncio.create_task(self.cancel(job_id))
        self._cancelling.add(cancelling)
        cancelling.add_done_callback(self._cancelling.discard)

    async def events(self, job_id: str, deadline: float = float("inf")) -> AsyncGenerator[Job]:
        """Yield the job now and after each change, until it ends or until ``deadline`` on the monotonic clock."""
        with self._following.feed(job_id) as feed:
            job = await feed.after(None, deadline - time.monotonic())
            while job is not None:
                yield job
                if job.state.is_final:
                    return
                job = await feed.after(job, deadline - time.monotonic())

    def dismiss(self) -> None:
        """End all waits and subscriptions, because the server shuts down."""
        self._following.end()

    def follow(self, job_id: str) -> AbstractContextManager[Feed]:
        """Return a context with the job's feed, for callers that need more control than ``events`` gives."""
        return self._following.feed(job_id)

    async def page(self, which: JobFilter, limit: int, before: str | None) -> JobPage:
        """Return a page of jobs, newest first, older than the job ``before``; ``limit`` is at least 1."""
        return await asyncio.to_thread(self._store.list, which, limit, before)

    async def quota_of(self, owner: str) -> Allowance | None:
        """Return what is left of an owner's quota, or None if it has none."""
        return await asyncio.to_thread(self._store.allowance, owner)

    def queue(self) -> QueueSnapshot:
        """Return a snapshot of the queue; it reads the database, so call it in a thread."""
        return self._store.queue()

    def result_path(self, job: Job) -> Path:
        """Return the path of a succeeded job's file. Raises JobNotFound once the file is removed."""
        path = self._files.results.find(job.result.digest, job.result.bytes) if job.result else None
        if path is None:
            raise JobNotFound(job.id)
        return path

    async def input_file(self, content: bytes, field: str = "audio") -> Path:
        """Store a recording for a request's ``audio`` or ``melody``, or its ``score``, and return its path.

        Raises InvalidRequest, which names ``field``, if the content is not audio, or no score.
        """
        return await asyncio.to_thread(self._files.inputs.keep, content, field)


def for_fallback(request: GenerationRequest) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Return the request without the fields that only neural models read, and the names of those that were set."""
    usual = {name: GenerationRequest.model_fields[name].default for name in NEURAL_FIELDS}
    dropped = tuple(
        name for name in NEURAL_FIELDS
        if getattr(request, name) != usual[name] and not (name == "ending" and request.ending in COMPOSED_ENDINGS)
    )  # fmt: skip
    return request.model_copy(update={name: usual[name] for name in dropped}), dropped


def submission_for_fallback(submission: Submission) -> Submission:
    """Return the submission for the composer; the ignored fields go into its options, for the log and the file."""
    request, dropped = for_fallback(submission.request)
    if not dropped:
        return submission
    ignored = (f"Ignored: {name} means nothing to the composer" for name in dropped)
    options = replace(submission.options, notes=(*submission.options.notes, *ignored), dropped=dropped)
    return replace(submission, request=request, options=options)


def _draw_seed(submission: Submission) -> int:
    """Draw a seed; the same idempotency key gives the same seed, so that a retried request stays the same request."""
    drawn = secrets.token_bytes(8)
    if submission.idempotency_key is not None:
        drawn = hashlib.sha256(f"{submission.owner} {submission.idempotency_key}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 2**31
