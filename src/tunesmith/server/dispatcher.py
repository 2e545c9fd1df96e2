"""Dispatcher: takes jobs from the queue, has the runners make them, and writes down what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tunesmith.jobs.job import Claim, Failure, JobResult
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.pool import Made, Report, RunnerCrashed, RunnerPool, Task, TaskFailed
from tunesmith.jobs.workers import HEARTBEAT_SECONDS, ProcessIdentity, Workers
from tunesmith.server.changes import Changes

DEFAULT_FORMAT = "wav"
log = logging.getLogger("tunesmith.server")


class Dispatcher:
    """Works on at most ``capacity`` jobs at once. One a server; used from one event loop."""

    def __init__(
        self, queue: JobQueue, workers: Workers, results: ResultFiles, pool: RunnerPool, changes: Changes,
        capacity: int = 16,
    ) -> None:  # fmt: skip
        self._queue = queue
        self._workers = workers
        self._results = results
        self._pool = pool
        self._changes = changes
        self._capacity = capacity
        self._identity = ProcessIdentity.own()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._awake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "database")  # one thread, so that reports are written in their order
        self._closing = False

    def wake(self) -> None:
        """Say that the queue has changed."""
        self._awake.set()

    async def run(self) -> None:
        """Join the workers, take back what a dead one left, and work until cancelled."""
        self._worker = await self._write(self._workers.join, self._identity)
        while True:
            self._awake.clear()
            await self._write(self._workers.heartbeat, self._worker, self._identity)
            if await self._write(self._workers.bury) or not self._working:
                await self._write(self._queue.recover)
            await self._drop_what_is_no_longer_ours()
            await self._take_more()
            try:
                await asyncio.wait_for(self._awake.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Give back what is being worked on, for another server or the next start."""
        self._closing = True
        for task in self._working.values():
            task.cancel()
        await asyncio.gather(*self._working.values(), return_exceptions=True)
        await self._write(self._workers.leave, self._worker)
        self._writer.shutdown()

    async def _take_more(self) -> None:
        while len(self._working) < self._capacity and (claim := await self._write(self._queue.claim, self._worker)):
            self._changes.tell(claim.job.id)
            task = asyncio.create_task(self._work(claim), name=claim.job.id)
            self._working[claim.job.id] = task
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.pop(task.get_name(), None)
        self._awake.set()
        if not task.cancelled() and task.exception():
            log.error("job %s: %r", task.get_name(), task.exception())

    async def _drop_what_is_no_longer_ours(self) -> None:
        """Stop working on jobs that were cancelled."""
        if self._working:
            held = await self._write(self._queue.held, self._worker)
            for job_id in set(self._working) - held:
                self._working[job_id].cancel()

    async def _work(self, claim: Claim) -> None:
        job = claim.job
        try:
            with self._results.receive(f".{job.extra.get('format', DEFAULT_FORMAT)}") as path:
                request = job.request.model_copy(update={"model": job.generated_by})
                task = Task(job.id, job.generated_by, request, path)
                made = await self._pool.run(task, self._reporter(claim))
                await self._keep(claim, made)
        except TaskFailed as error:
            await self._write(self._queue.fail, claim, Failure(error.kind, str(error)))
        except RunnerCrashed:
            await self._write(self._queue.requeue, claim)
        except asyncio.CancelledError:
            if self._closing:
                await self._write(self._queue.release, claim)
            raise
        finally:
            self._changes.tell(job.id)

    async def _keep(self, claim: Claim, made: Made) -> None:
        stored = await asyncio.to_thread(self._results.keep, made.path)
        result = JobResult(
            stored.digest, made.path.suffix[1:], stored.bytes, made.duration, made.sample_rate, made.channels
        )
        stand_in = {} if claim.job.model == claim.job.generated_by else {"asked_model": claim.job.model}
        await self._write(self._queue.succeed, claim, result, {**made.metadata, **stand_in})

    def _reporter(self, claim: Claim) -> Callable[[Report], None]:
        """Return what takes a runner's reports; they are written one after another, without anyone waiting for it."""

        def report(told: Report) -> None:
            if told.running and not told.stage:
                self._note(claim, self._queue.running, claim, told.loaded_seconds)
            elif told.running:
                self._note(claim, self._queue.progress, claim, told.fraction, told.stage)

        return report

    def _note(self, claim: Claim, write: Callable[..., Any], *arguments: Any) -> None:
        loop = asyncio.get_running_loop()
        written = self._writer.submit(write, *arguments)
        written.add_done_callback(lambda _: loop.call_soon_threadsafe(self._changes.tell, claim.job.id))

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, write, *arguments)
