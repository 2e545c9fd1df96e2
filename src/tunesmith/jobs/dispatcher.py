"""Dispatcher: claims jobs from the queue, runs them in the runner pool and records their outcome."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import DatabaseError, DiskFull, FolderUnavailable
from tunesmith.jobs.completion import Completion
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.failures import final_failure, transient_failure
from tunesmith.jobs.job import Claim, Failure, Job, JobState
from tunesmith.jobs.job_log import JobEventLog, JobRunLog, Outcome
from tunesmith.jobs.queue import MAX_ATTEMPTS, JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.pool import ProgressReport, RunnerPool, Task
from tunesmith.jobs.store import WorkerSlot
from tunesmith.jobs.worker_registry import HEARTBEAT_SECONDS, ProcessIdentity, WorkerRegistry
from tunesmith.logs import RepeatedFault, bind

CLAIMS_AT_ONCE = 8
"""The largest batch of claims in one visit to the database, so that the first job need not wait for many others."""

SUBMIT_SECONDS = 0.01
"""The interval in seconds at which shutdown checks for submissions that are still in progress."""

RETRY_SECONDS = 1.0
"""The back-off in seconds after a database error."""

NO_QUEUE = "the queue cannot be worked on"

T = TypeVar("T")
log = logging.getLogger("tunesmith.server")


class Dispatcher:
    """The worker of a server: runs as many jobs at once as the pool has capacity for. Used from one event loop.

    ``problem`` is a line for callers that says why no job can run at present, or None.
    """

    def __init__(
        self, queue: JobQueue, workers: WorkerRegistry, results: ResultFiles, pool: RunnerPool, changes: JobEvents
    ) -> None:
        self._queue = queue
        self._workers = workers
        self._results = results
        self._pool = pool
        self._changes = changes
        self.diary = JobEventLog()
        self.problem: str | None = None
        self._fault = RepeatedFault(log)
        self._conclusions = RepeatedFault(log)
        self._identity = ProcessIdentity.own()
        self._worker: str | None = None
        self._working: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        # Jobs of _working whose result is ready and only needs to be recorded; these are not cancelled any more.
        self._made: set[str] = set()
        self._awake = asyncio.Event()
        # False once the queue was seen empty and no other server fills it: then a job's end need not poll it.
        self._may_wait = True
        # One thread, so that progress reports reach the database in order.
        self._writer = ThreadPoolExecutor(1, "database")
        self._next_heartbeat = 0.0
        self._draining_since: float | None = None
        self._hurried = asyncio.Event()
        self._looking = asyncio.Lock()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reserving = threading.Lock()
        # Capacity by model that is reserved for jobs that are being submitted.
        self._reserved: Counter[str] = Counter()

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
        while not self._closing:
            # Cleared before the poll: a wake-up that arrives during it must start another poll.
            self._awake.clear()
            try:
                async with self._looking:
                    await self._poll()
                self.problem = None
                self._fault.clear()
                wait = max(0.0, self._next_heartbeat - time.monotonic())
            except (DatabaseError, FolderUnavailable) as error:
                self.problem, wait = NO_QUEUE, RETRY_SECONDS
                self._fault.report(f"{NO_QUEUE}: {error}")
            except Exception as error:
                # The border of the job runner: a bug must not stop the dispatcher while the server lives on.
                self.problem, wait = NO_QUEUE, RETRY_SECONDS
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
        tasks = [task for _, task in self._working.values()]
        if tasks:
            await self._finish(tasks, self._draining_since + drain_seconds - time.monotonic())
        self._closing = True
        self.wake()
        # A poll in progress may still claim jobs, which must be released as well.
        async with self._looking:
            tasks = [task for _, task in self._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._worker is not None:
            try:
                await self._write(self._workers.leave, self._worker)
            except DatabaseError as error:
                log.error("the server could not sign off: %s", error)
        self._writer.shutdown()

    async def _finish(self, tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
        """Wait for the tasks, until the timeout in seconds or ``abort_running``."""
        hurried, finished = asyncio.ensure_future(self._hurried.wait()), asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait({hurried, finished}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        finished.cancel()

    async def _poll(self) -> None:
        if self._closing:
            return
        if time.monotonic() >= self._next_heartbeat:
            await self._send_heartbeat()
        self._results.prepare()
        await self._claim_jobs()

    async def _send_heartbeat(self) -> None:
        if self._worker is None:
            self._worker = await self._write(self._workers.join, self._identity)
        await self._write(self._workers.heartbeat, self._worker, self._identity)
        # An idle worker looks for orphaned jobs every time: it has the capacity to run them.
        if await self._write(self._workers.remove_dead) or not self._working:
            recovered = await self._write(self._queue.recover)
            if recovered:
                log.warning("jobs of a server that is gone were taken back", extra={"jobs": recovered})
        await self._reconcile()
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    async def _reconcile(self) -> None:
        """Reconcile with the database: stop jobs whose claim was lost, and requeue claimed jobs that do not run here.

        Jobs start while the query runs. The running jobs are therefore read before it, to stop, and after it, to
        requeue.
        """
        working = set(self._working)
        held = await self._write(self._queue.held, self._worker)
        for job_id in working - held:
            self._stop(job_id)
        unattended = held - set(self._working)
        # A reservation may be a job that is claimed in the database but not yet started here.
        if not unattended or self._reserved.total():
            return
        if lost := await self._write(self._queue.take_back, self._worker, unattended):
            log.error("jobs that nobody worked on were queued again", extra={"jobs": lost})

    async def _claim_jobs(self) -> None:
        """Claim jobs of the models with free capacity until the queue or the capacity is exhausted."""
        self._may_wait = may_wait = True
        while may_wait and self._draining_since is None:
            claims, may_wait = await self._write(self._claims)
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
        self._changes.publish_progress(claim.job.id)
        task = asyncio.create_task(self._work(claim, path), name=claim.job.id)
        self._working[claim.job.id] = claim, task
        task.add_done_callback(self._done)

    def _new_file(self, claim: Claim) -> Path:
        return self._results.new(f".{claim.job.options.format}")

    def _at_work(self) -> Counter[str]:
        """Count running and reserved jobs by model; the caller holds ``_reserving``."""
        # A copy: this runs in other threads, and the event loop changes the dictionary.
        return self._reserved + Counter(claim.job.generated_by for claim, _ in list(self._working.values()))

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

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.pop(task.get_name(), None)
        self._made.discard(task.get_name())
        if self._may_wait:
            self._awake.set()
        if not task.cancelled() and task.exception():
            log.error("a job was left as it was", extra={"job_id": task.get_name()}, exc_info=task.exception())

    def _stop(self, job_id: str) -> None:
        if job_id in self._working and job_id not in self._made:
            self._working[job_id][1].cancel()

    async def _work(self, claim: Claim, path: Path) -> None:
        job, kept = claim.job, False
        ended: Job | None = None
        bind(job_id=job.id)
        entry = self.diary.begin(claim)
        try:
            request = job.request.model_copy(update={"model": job.generated_by})
            # This job may have crashed its runner: it must not take the jobs of a shared batch down again.
            alone = job.attempts > 1
            task = Task(job.id, job.generated_by, request, path, job.options.keep_alive, alone)
            made = await self._pool.run(task, self._reporter(claim, entry))
            # A progress report that is written after the job ends finds no claim, and must not cancel this task.
            self._made.add(job.id)
            completion = Completion(self._results, self._queue, claim, made)
            # Not in the database thread, where hashing a large file would hold up every other write.
            ended = await self._finish_with_retries(asyncio.to_thread, completion)
            kept = True
            if ended:
                entry.succeeded(made)
            else:
                entry.end(Outcome.STOPPED)
        except asyncio.CancelledError:
            if self._closing:
                await self._finish_with_retries(self._write, self._queue.release, claim)
            entry.end(Outcome.RELEASED if self._closing else Outcome.STOPPED)
            raise
        except Exception as error:
            # The border of the job runner: whatever went wrong, the job must end.
            await self._settle(claim, entry, path, error)
        finally:
            self._changes.publish(job.id, ended)
            if not kept:
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _settle(self, claim: Claim, entry: JobRunLog, path: Path, error: Exception) -> None:
        """Record the failure of a job, or requeue it if a retry may help."""
        transient = transient_failure(error, path)
        if transient is not None:
            await self._try_again(claim, entry, transient, str(error))
            return
        if isinstance(error, DiskFull):
            # Now rather than later: the database may need the space to record the failure.
            path.unlink(missing_ok=True)
        await self._fail(claim, entry, *final_failure(error))

    async def _try_again(self, claim: Claim, entry: JobRunLog, failure: Failure, reason: str) -> None:
        """Requeue the job, or fail it if this was its last attempt."""
        log.warning("%s", reason)
        await self._finish_with_retries(self._write, self._queue.requeue, claim, failure)
        self._may_wait = True
        if claim.job.attempts < MAX_ATTEMPTS:
            entry.end(Outcome.REQUEUED)
        else:
            entry.failed(failure)

    async def _fail(self, claim: Claim, entry: JobRunLog, failure: Failure, trace: str) -> None:
        await self._finish_with_retries(self._write, self._queue.fail, claim, failure)
        entry.failed(failure, trace)

    async def _finish_with_retries(self, write: Callable[..., Awaitable[T]], *arguments: Any) -> T | None:
        """Record the end of a job, and retry until the database is available.

        Returns None if the server shuts down first; the next worker then recovers the job.
        """
        while True:
            try:
                written = await write(*arguments)
                self._conclusions.clear()
                return written
            except DatabaseError as error:
                self._conclusions.report(f"the end of a job cannot be written: {error}")
            if self._closing:
                return None
            await asyncio.sleep(RETRY_SECONDS)

    def _reporter(self, claim: Claim, entry: JobRunLog) -> Callable[[ProgressReport], None]:
        """Return the callback for a runner's progress reports; it writes them in order without blocking."""
        # The claim has set this state in the database already if the model was loaded.
        is_running = claim.job.state is JobState.RUNNING

        def report(told: ProgressReport) -> None:
            nonlocal is_running
            entry.reported(told)
            # The runner that had the model loaded is gone, so the model loads again.
            if not told.running and is_running:
                is_running = False
                self._write_progress(claim, self._queue.loading, claim)
            # The database has this state already, so only the stopwatch starts.
            elif is_running and not told.stage and told.loaded_seconds is None:
                self._queue.begin(claim)
            elif told.running and not told.stage:
                self._write_progress(claim, self._queue.running, claim, told.loaded_seconds)
            elif told.running:
                self._write_progress(claim, self._queue.progress, claim, told.fraction, told.stage)

        return report

    def _write_progress(self, claim: Claim, write: Callable[..., bool], *arguments: Any) -> None:
        loop = asyncio.get_running_loop()
        written = self._writer.submit(write, *arguments)
        written.add_done_callback(lambda done: loop.call_soon_threadsafe(self._on_progress_written, claim.job.id, done))

    def _on_progress_written(self, job_id: str, written: Future[bool]) -> None:
        """Notify the job's subscribers; stop the job if its claim was lost."""
        error = written.exception()
        # A database that is known to be unreachable is logged elsewhere.
        if error and self.problem is None:
            log.error("a job's progress cannot be written: %s", error, extra={"job_id": job_id})
        if not error and not written.result():
            self._stop(job_id)
        self._changes.publish_progress(job_id)

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, write, *arguments)
