"""Dispatcher: takes jobs from the queue, has the runners make them, and writes down what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import INTERNAL_ERROR, DatabaseError, DiskFull, FolderUnavailable, RunnerCrashed, TaskFailed
from tunesmith.jobs.completion import Completion
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Claim, Failure, Job, JobState
from tunesmith.jobs.job_log import JobEventLog, JobRunLog, Outcome
from tunesmith.jobs.queue import CRASHED, MAX_ATTEMPTS, JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.pool import ProgressReport, RunnerPool, Task
from tunesmith.jobs.store import WorkerSlot
from tunesmith.jobs.workers import HEARTBEAT_SECONDS, ProcessIdentity, Workers
from tunesmith.log_context import bind
from tunesmith.repeated_fault import RepeatedFault

CLAIMS_AT_ONCE = 8
"""How many jobs at most are claimed before the first of them is begun."""

SUBMIT_SECONDS = 0.01
"""How often the end of the server looks whether jobs are still being submitted."""

RETRY_SECONDS = 1.0
"""How long to wait for a database that cannot be reached."""

NO_QUEUE = "the queue cannot be worked on"

REMOVED = Failure(FolderUnavailable.code, "the folder of results was removed while the music was made")
BUG = Failure(INTERNAL_ERROR, "internal error; the server's log says more")
T = TypeVar("T")
log = logging.getLogger("tunesmith.server")


class Dispatcher:
    """Works on as many jobs at once as the pool has places for. One a server; used from one event loop.

    ``problem`` says why it cannot at present, in a line that anyone may read.
    """

    def __init__(
        self, queue: JobQueue, workers: Workers, results: ResultFiles, pool: RunnerPool, changes: JobEvents
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
        self._made: set[str] = set()  # those of them that are only to be written down
        self._awake = asyncio.Event()
        self._may_wait = True  # False once a look found that no job waits: then the end of one makes no room for others
        self._writer = ThreadPoolExecutor(1, "database")  # one thread, so that reports are written in their order
        self._next_heartbeat = 0.0
        self._draining_since: float | None = None
        self._hurried = asyncio.Event()
        self._looking = asyncio.Lock()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reserving = threading.Lock()
        self._reserved: Counter[str] = Counter()  # places of models for jobs that are being submitted

    def wake(self, cancelled: str | None = None) -> None:
        """Say that the queue has changed; ``cancelled`` is the id of a job that nobody wants any more."""
        if cancelled is not None:
            self._stop(cancelled)
        self._awake.set()

    def reserve(self, model: str) -> WorkerSlot | None:
        """Reserve a place for a job of the model; None where it has to wait.

        Each reservation ends in ``start`` or ``release``. Safe to call in any thread, like these two.
        """
        with self._reserving:
            if self._worker is None or self.is_draining or self.problem is not None:
                return None
            if self._at_work()[model] >= self._pool.capacity(model):
                return None
            self._reserved[model] += 1
            return WorkerSlot(self._worker, self._pool.is_loaded(model))

    def start(self, claim: Claim) -> None:
        """Work on a job that was claimed as it was submitted."""
        assert self._loop is not None
        # Without the context of the request, whose id would stand in every line about the job.
        self._loop.call_soon_threadsafe(self._start_reserved, claim, context=Context())

    def release(self, model: str) -> None:
        """Give a reserved place back."""
        with self._reserving:
            self._reserved[model] -= 1

    def drain(self) -> None:
        """Take no more jobs, because the server is about to end."""
        if self._draining_since is None:
            self._draining_since = time.monotonic()

    def abort_running(self) -> None:
        """Let nothing finish any more, because the server is about to end at once."""
        self._hurried.set()

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to end."""
        return self._draining_since is not None

    async def run(self) -> None:
        """Join the workers, take back what a dead one left, and work until closed."""
        self._loop = asyncio.get_running_loop()
        while not self._closing:
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
            except Exception as error:  # the border of the job runner: the server must not live on without it
                self.problem, wait = NO_QUEUE, RETRY_SECONDS
                self._fault.report(f"{NO_QUEUE}: {type(error).__name__}", trace=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), wait)

    async def close(self, drain_seconds: float = 0.0) -> None:
        """Let what is being made finish until ``hurry`` or so long after ``drain``; give the rest back to the queue."""
        self.drain()
        assert self._draining_since is not None
        while self._reserved.total():  # each is one transaction long
            await asyncio.sleep(SUBMIT_SECONDS)
        tasks = [task for _, task in self._working.values()]
        if tasks:
            await self._finish(tasks, self._draining_since + drain_seconds - time.monotonic())
        self._closing = True
        self.wake()
        async with self._looking:  # so that no claim is left behind
            tasks = [task for _, task in self._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._worker is not None:
            await self._unregister_worker(self._worker)
        self._writer.shutdown()

    async def _finish(self, tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
        """Wait for all of the tasks, unless it takes too long or there is a hurry."""
        hurried, finished = asyncio.ensure_future(self._hurried.wait()), asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait({hurried, finished}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        finished.cancel()

    async def _unregister_worker(self, worker: str) -> None:
        try:
            await self._write(self._workers.leave, worker)
        except DatabaseError as error:
            log.error("the server could not sign off: %s", error)

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
        if await self._write(self._workers.remove_dead) or not self._working:
            recovered = await self._write(self._queue.recover)
            if recovered:
                log.warning("jobs of a server that is gone were taken back", extra={"jobs": recovered})
        await self._reconcile()
        self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS

    async def _reconcile(self) -> None:
        """Stop work on jobs that another server has cancelled or taken over; queue those again that nobody works on.

        Jobs that are claimed as they are submitted come in between, so what is compared was there before.
        """
        working = set(self._working)
        held = await self._write(self._queue.held, self._worker)
        for job_id in working - held:
            self._stop(job_id)
        unattended = held - set(self._working)
        if not unattended or self._reserved.total():  # some of them may be about to be started
            return
        if lost := await self._write(self._queue.take_back, self._worker, unattended):
            log.error("jobs that nobody worked on were queued again", extra={"jobs": lost})

    async def _claim_jobs(self) -> None:
        """Claim jobs of those models that have a place for them, until there are none."""
        self._may_wait = may_wait = True
        while may_wait and self._draining_since is None:
            claims, may_wait = await self._write(self._claims)
            for claim, path in claims:
                self._begin(claim, path)
            if not claims:
                break
        self._may_wait = may_wait

    def _start_reserved(self, claim: Claim) -> None:
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
        """Count the places that are taken or reserved, by model; ``_reserving`` is held."""
        working = Counter(claim.job.generated_by for claim, _ in list(self._working.values()))
        return working + self._reserved

    def _claims(self) -> tuple[list[tuple[Claim, Path]], bool]:
        """Claim a few of the next jobs, each with the file that it is to write; done in a thread.

        Returns them, and whether others may wait.
        """
        assert self._worker
        with self._reserving:
            at_work = self._at_work()
        claims: list[tuple[Claim, Path]] = []
        while len(claims) < CLAIMS_AT_ONCE:
            full = {model for model, tasks in at_work.items() if tasks >= self._pool.capacity(model)}
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
            alone = job.attempts > 1  # a runner has died over it: others must not be the victims
            task = Task(job.id, job.generated_by, request, path, job.options.keep_alive, alone)
            made = await self._pool.run(task, self._reporter(claim, entry))
            self._made.add(job.id)  # a report that is written after the end finds nobody's job, which stops no one
            completion = Completion(self._results, self._queue, claim, made)
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
        except Exception as error:  # the border of the job runner
            await self._settle(claim, entry, path, error)
        finally:
            self._changes.publish(job.id, ended)
            if not kept:
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _settle(self, claim: Claim, entry: JobRunLog, path: Path, error: Exception) -> None:
        """Write down that nothing was made, or give the job back where another try may help."""
        passing = _passing_failure(error, path)
        if passing is not None:
            await self._try_again(claim, entry, passing, str(error))
        elif isinstance(error, TaskFailed):
            await self._fail(claim, entry, Failure(error.kind, str(error)), error.trace)
        elif isinstance(error, DiskFull):
            path.unlink(missing_ok=True)  # now, because the database may need its room to say so
            await self._fail(claim, entry, Failure(error.code, str(error)), "")
        else:
            await self._fail(claim, entry, BUG, "".join(traceback.format_exception(error)))

    async def _try_again(self, claim: Claim, entry: JobRunLog, failure: Failure, reason: str) -> None:
        """Give the job back to the queue, or fail it where that was the last try."""
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
        """Write down how a job ended, however long the database takes to be there again.

        None where the server ended first: then whoever comes next recovers the job.
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
        """Return what takes a runner's reports; they are written one after another, without anyone waiting for it."""
        is_running = claim.job.state is JobState.RUNNING  # in the database, since it was claimed

        def report(told: ProgressReport) -> None:
            nonlocal is_running
            entry.reported(told)
            if not told.running and is_running:  # the runner that had the model loaded is gone
                is_running = False
                self._write_progress(claim, self._queue.loading, claim)
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
        """Tell those who follow the job; stop working on one that is no longer ours."""
        error = written.exception()
        if error and self.problem is None:  # else it is no news
            log.error("a job's progress cannot be written: %s", error, extra={"job_id": job_id})
        if not error and not written.result():
            self._stop(job_id)
        self._changes.publish_progress(job_id)

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, write, *arguments)


def _passing_failure(error: Exception, path: Path) -> Failure | None:
    """Return what the job fails with if another try does not help, None where none would."""
    if isinstance(error, RunnerCrashed):
        return CRASHED
    if isinstance(error, FolderUnavailable):
        return Failure(error.code, error.problem)
    is_internal = isinstance(error, TaskFailed) and error.kind == INTERNAL_ERROR
    return REMOVED if is_internal and not path.parent.is_dir() else None
