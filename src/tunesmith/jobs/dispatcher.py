"""Dispatcher: claims jobs from the queue and runs as many at once as the runner pool has capacity for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Collection
from contextvars import Context
from pathlib import Path

from tunesmith.errors import DatabaseError, FolderUnavailable
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Claim
from tunesmith.jobs.job_run import RETRY_SECONDS, JobRun, OnEnd, WorkerContext
from tunesmith.jobs.job_streams import JobStreams
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.local_pool import LocalPool
from tunesmith.jobs.store import WorkerSlot
from tunesmith.jobs.worker_registry import HEARTBEAT_SECONDS, ProcessIdentity, WorkerRegistry
from tunesmith.logs import RepeatedFault

CLAIMS_AT_ONCE = 8
"""The largest batch of claims in one visit to the database, so that the first job need not wait for many others."""

SUBMIT_SECONDS = 0.01
"""The interval in seconds at which shutdown checks for submissions that are still in progress."""

NO_QUEUE = "cannot process the queue"

log = logging.getLogger("tunesmith.server")


class Dispatcher:
    """The worker of a server. Used from one event loop."""

    def __init__(
        self, queue: JobQueue, workers: WorkerRegistry, results: ResultFiles, pool: LocalPool, events: JobEvents
    ) -> None:
        self._queue = queue
        self._workers = workers
        self._results = results
        self._pool = pool
        self._events = events
        self._context = WorkerContext(queue, results, pool, events)
        self._fault = RepeatedFault(log)
        self._identity = ProcessIdentity.own()
        self._worker: str | None = None
        self._running: dict[str, JobRun] = {}
        self._awake = asyncio.Event()
        # False once the queue was seen empty and no other server fills it: then a job's end need not poll it.
        self._may_wait = True
        self._next_heartbeat = 0.0
        self._draining_since: float | None = None
        self._hurried = asyncio.Event()
        self._looking = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reserving = threading.Lock()
        # Capacity by model that is reserved for jobs that are being submitted.
        self._reserved: Counter[str] = Counter()

    @property
    def problem(self) -> str | None:
        """Why no job can run at present, as a line for callers, or None."""
        return self._context.problem

    @property
    def streams(self) -> JobStreams:
        """The streams of the jobs that run here."""
        return self._context.streams

    def listen(self, hear: OnEnd) -> None:
        """Call ``hear`` at the end of each run of a job."""
        self._context.on_end = hear

    def wake(self, cancelled: str | None = None) -> None:
        """Wake the dispatcher because the queue changed; ``cancelled`` is the id of a job to stop."""
        if cancelled is not None:
            self._stop(cancelled)
        self._awake.set()

    def reserve(self, model: str) -> WorkerSlot | None:
        """Reserve capacity for a job of the model; return None if the job must queue.

        Each reservation ends in ``start`` or ``release``. All three are thread-safe.
        """
        with self._reserving:
            if self._worker is None or self.is_draining or self.problem is not None:
                return None
            if self._at_work()[model] >= self._pool.capacity(model):
                return None
            self._reserved[model] += 1
            return WorkerSlot(self._worker, self._pool.is_loaded(model))

    def start(self, claim: Claim) -> None:
        """Start a job that was claimed in the transaction that submitted it."""
        assert self._loop is not None
        # An empty context, or the id of the request would appear in every log line about the job.
        self._loop.call_soon_threadsafe(self._start_reserved, claim, context=Context())

    def release(self, model: str) -> None:
        """Release a reservation."""
        with self._reserving:
            self._reserved[model] -= 1

    def drain(self) -> None:
        """Stop claiming jobs, because the server shuts down."""
        if self._draining_since is None:
            # The drain period counts from the first call.
            self._draining_since = time.monotonic()

    def abort_running(self) -> None:
        """Abort running jobs instead of draining them, because the server shuts down immediately."""
        self._hurried.set()

    @property
    def is_draining(self) -> bool:
        """Whether the server shuts down."""
        return self._draining_since is not None

    async def run(self) -> None:
        """Register as a worker, recover jobs of dead workers, and run jobs until closed."""
        self._loop = asyncio.get_running_loop()
        while not self._context.is_closing:
            # Cleared before the poll: a wake-up that arrives during it must start another poll.
            self._awake.clear()
            try:
                async with self._looking:
                    await self._poll()
                self._context.problem = None
                self._fault.clear()
                wait = max(0.0, self._next_heartbeat - time.monotonic())
            except (DatabaseError, FolderUnavailable) as error:
                self._context.problem, wait = NO_QUEUE, RETRY_SECONDS
                self._fault.report(f"{NO_QUEUE}: {error}")
            except Exception as error:
                # The border of the job runner: a bug must not stop the dispatcher while the server lives on.
                self._context.problem, wait = NO_QUEUE, RETRY_SECONDS
                self._fault.report(f"{NO_QUEUE}: {type(error).__name__}", trace=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), wait)

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Drain: let running jobs finish, then return the others to the queue.

        Jobs have until ``drain_seconds`` after the first call of ``drain``, or until ``abort_running``.
        """
        self.drain()
        assert self._draining_since is not None
        # Each reservation lasts for one transaction.
        while self._reserved.total():
            await asyncio.sleep(SUBMIT_SECONDS)
        tasks = [run.task for run in self._running.values()]
        if tasks:
            await self._finish(tasks, self._draining_since + drain_seconds - time.monotonic())
        self._context.is_closing = True
        self.wake()
        # A poll in progress may still claim jobs, which must be released as well.
        async with self._looking:
            tasks = [run.task for run in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._worker is not None:
            try:
                await self._context.write(self._workers.leave, self._worker)
            except DatabaseError as error:
                log.error("cannot remove this worker from the database: %s", error)
        self._context.writer.shutdown()

    async def _finish(self, tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
        """Wait for the tasks, until the timeout in seconds or ``abort_running``."""
        hurried, finished = asyncio.ensure_future(self._hurried.wait()), asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait({hurried, finished}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        finished.cancel()

    async def _poll(self) -> None:
        if self._context.is_closing:
            return
        if time.monotonic() >= self._next_heartbeat:
            await self._send_heartbeat()
        self._results.prepare()
        await self._claim_jobs()

    async def _send_heartbeat(self) -> None:
        if self._worker is None:
            self._worker = await self._context.write(self._workers.join, self._identity)
        await self._context.write(self._workers.heartbeat, self._worker, self._identity)
        # An idle worker looks for orphaned jobs every time: it has the capacity to run them.
        if await self._context.write(self._workers.remove_dead) or not self._running:
            recovered = await self._context.write(self._queue.recover)
            if recovered:
                log.warning("jobs of a dead server were queued again", extra={"jobs": recovered})
        await self._reconcile()
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    async def _reconcile(self) -> None:
        """Reconcile with the database: stop jobs whose claim was lost, and requeue claimed jobs that do not run here.

        Jobs start while the query runs. The running jobs are therefore read before it, to stop, and after it, to
        requeue.
        """
        working = set(self._running)
        held = await self._context.write(self._queue.held, self._worker)
        for job_id in working - held:
            self._stop(job_id)
        unattended = held - set(self._running)
        # A reservation may be a job that is claimed in the database but not yet started here.
        if not unattended or self._reserved.total():
            return
        if lost := await self._context.write(self._queue.take_back, self._worker, unattended):
            log.error("claimed jobs that no runner worked on were queued again", extra={"jobs": lost})

    async def _claim_jobs(self) -> None:
        """Claim jobs of the models with free capacity until the queue or the capacity is exhausted."""
        self._may_wait = may_wait = True
        while may_wait and self._draining_since is None:
            claims, may_wait = await self._context.write(self._claims)
            for claim, path in claims:
                self._begin(claim, path)
            if not claims:
                break
        self._may_wait = may_wait or self._workers.has_peers

    def _start_reserved(self, claim: Claim) -> None:
        # Start before release, so that the capacity is never counted as free in between.
        self._begin(claim, self._new_file(claim))
        self.release(claim.job.generated_by)

    def _begin(self, claim: Claim, path: Path) -> None:
        self._events.publish_progress(claim.job.id)
        run = self._running[claim.job.id] = JobRun(self._context, claim, path)
        run.task.add_done_callback(lambda _: self._on_run_ended(run))

    def _new_file(self, claim: Claim) -> Path:
        return self._results.new(f".{claim.job.options.format}")

    def _at_work(self) -> Counter[str]:
        """Count running and reserved jobs by model; the caller holds ``_reserving``."""
        # A copy: this runs in other threads, and the event loop changes the dictionary.
        return self._reserved + Counter(run.claim.job.generated_by for run in list(self._running.values()))

    def _claims(self) -> tuple[list[tuple[Claim, Path]], bool]:
        """Claim the next jobs, each with the path of its output file; runs in the database thread.

        Returns the claims, and whether more jobs may be waiting.
        """
        assert self._worker
        with self._reserving:
            at_work = self._at_work()
        claims: list[tuple[Claim, Path]] = []
        while len(claims) < CLAIMS_AT_ONCE:
            full = {model for model, tasks in at_work.items() if tasks >= self._pool.capacity(model)}
            # Without a model at capacity the faster statement for any model suffices.
            free = set(self._queue.waiting_models()) - full if full else None
            claim = None if full and not free else self._queue.claim(self._worker, free)
            if claim is None:
                return claims, bool(full)
            at_work[claim.job.generated_by] += 1
            claims.append((claim, self._new_file(claim)))
            if claim.is_last:
                return claims, False
        return claims, True

    def _on_run_ended(self, run: JobRun) -> None:
        job_id, task = run.claim.job.id, run.task
        if self._running.get(job_id) is run:
            del self._running[job_id]
        self._may_wait = self._may_wait or run.is_requeued
        if self._may_wait:
            self._awake.set()
        if not task.cancelled() and task.exception():
            log.error("work on a job failed", extra={"job_id": job_id}, exc_info=task.exception())

    def _stop(self, job_id: str) -> None:
        if job_id in self._running:
            self._running[job_id].stop()
