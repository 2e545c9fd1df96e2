"""JobRun: one run of a claimed job: in the runner pool, its progress, its log lines, and its end in the database."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.errors import (
    BUG_MESSAGE,
    INTERNAL_ERROR,
    DatabaseError,
    DiskFull,
    FolderUnavailable,
    RunnerCrashed,
    TaskFailed,
)
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Claim, Failure, Job, JobResult, JobState
from tunesmith.jobs.job_streams import JobStreams
from tunesmith.jobs.queue import CRASHED, MAX_ATTEMPTS, JobQueue
from tunesmith.jobs.results import ResultFiles, StoredFile
from tunesmith.jobs.runners.local_pool import LocalPool
from tunesmith.jobs.runners.tasks import ProgressReport, Task, TaskResult, stream_path
from tunesmith.logs import RepeatedFault, bind

RETRY_SECONDS = 1.0
"""The back-off in seconds after a database error."""

T = TypeVar("T")
job_log = logging.getLogger("tunesmith.job")
log = logging.getLogger("tunesmith.server")

REMOVED = Failure(FolderUnavailable.code, "the folder of results was removed while the job ran")
BUG = Failure(INTERNAL_ERROR, BUG_MESSAGE)


class Outcome(StrEnum):
    """How the run of a job ends: ``STOPPED`` if cancelled or its claim was lost, ``REQUEUED`` if its runner crashed.

    ``RELEASED`` returns to the queue because the server shuts down.
    """

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    REQUEUED = "requeued"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of a run; seconds are None for stages that were not reached.

    ``load_seconds`` is set on the job that loaded the model, ``kind`` on a failure. ``codes`` counts the codes that a
    language model sampled; 0 for other generators.
    """

    model: str
    dialect: str
    outcome: Outcome
    wait_seconds: float
    load_seconds: float | None = None
    generate_seconds: float | None = None
    kind: str | None = None
    audio_seconds: float = 0.0
    codes: int = 0


OnEnd = Callable[[JobEnd], None]


class JobRunLog:
    """The log of one run of a job."""

    def __init__(self, claim: Claim, on_end: OnEnd, clock: Callable[[], float] = time.monotonic) -> None:
        self._job = claim.job
        self._clock = clock
        self._on_end = on_end
        self._load_seconds: float | None = None
        self._running_since: float | None = None
        about = {"wait_seconds": round(self._wait_seconds, 3), "attempt": claim.job.attempts}
        job_log.info("job started", extra={**self._names(), **about})

    def reported(self, progress: ProgressReport) -> None:
        """Record when the model is loaded and generation starts; later reports change nothing."""
        # Only the first report counts: the later ones are progress.
        if progress.running and self._running_since is None:
            self._running_since = self._clock()
            self._load_seconds = progress.loaded_seconds

    def succeeded(self, task_result: TaskResult) -> None:
        """Log success, with the duration of the audio and the number of codes."""
        settings = task_result.metadata.get("settings")
        # The metadata of a plugin may have any form.
        codes = settings.get("codes", 0) if isinstance(settings, dict) else 0
        end = replace(self._end(Outcome.SUCCEEDED), audio_seconds=task_result.duration, codes=codes)
        self._log_end(end, logging.INFO, {"audio_seconds": round(task_result.duration, 3)})

    def failed(self, failure: Failure, trace: str = "") -> None:
        """Log a failure; with a ``trace``, which marks a bug, as an error rather than a warning."""
        end = replace(self._end(Outcome.FAILED), kind=failure.kind)
        about = {"kind": failure.kind, "problem": failure.message} | ({"exception": trace} if trace else {})
        # A mistake of the caller is no error of the server.
        self._log_end(end, logging.ERROR if trace else logging.WARNING, about)

    def end(self, outcome: Outcome) -> None:
        """Log any other outcome."""
        self._log_end(self._end(outcome), logging.WARNING if outcome is Outcome.REQUEUED else logging.INFO, {})

    def _log_end(self, end: JobEnd, level: int, about: Mapping[str, object]) -> None:
        took = {} if end.generate_seconds is None else {"seconds": round(end.generate_seconds, 3)}
        job_log.log(level, "job %s", end.outcome.value, extra={**self._names(), **took, **about})
        self._on_end(end)

    def _end(self, outcome: Outcome) -> JobEnd:
        since = self._running_since
        took = None if since is None else self._clock() - since
        return JobEnd(
            self._job.generated_by, self._job.dialect, outcome, self._wait_seconds, self._load_seconds, took
        )  # fmt: skip

    @property
    def _wait_seconds(self) -> float:
        return self._job.queued_seconds or 0.0

    def _names(self) -> dict[str, str]:
        return {"job_id": self._job.id, "model": self._job.generated_by, "dialect": self._job.dialect}


@dataclass(slots=True)
class WorkerContext:
    """What all runs of a worker share. ``problem`` is a line for callers that says why no job can run, or None.

    One thread writes to the database, so that progress reports reach it in order.
    """

    queue: JobQueue
    results: ResultFiles
    pool: LocalPool
    events: JobEvents
    streams: JobStreams = field(default_factory=JobStreams)
    on_end: OnEnd = lambda _: None
    problem: str | None = None
    is_closing: bool = False
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "database"))
    fault: RepeatedFault = field(default_factory=lambda: RepeatedFault(log))

    async def write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the database thread."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, write, *arguments)


class JobRun:
    """The run of a job that a worker has claimed; ``task`` ends with it. Used from one event loop."""

    def __init__(self, worker: WorkerContext, claim: Claim, path: Path) -> None:
        """``path`` is the file that the job is to write."""
        self.claim = claim
        self._worker = worker
        self._path = path
        # Once the result is ready and only needs to be recorded, the run is not cancelled any more.
        self._is_generated = False
        self._stored: StoredFile | None = None
        self.is_requeued = False
        # The claim has set this state in the database already if the model was loaded.
        self._is_running = claim.job.state is JobState.RUNNING
        self.task = asyncio.create_task(self._run(), name=claim.job.id)

    def stop(self) -> None:
        """Cancel the run, because the job was cancelled or its claim was lost."""
        if not self._is_generated:
            self.task.cancel()

    async def _run(self) -> None:
        job, worker, kept = self.claim.job, self._worker, False
        ended: Job | None = None
        bind(job_id=job.id)
        self._log = JobRunLog(self.claim, worker.on_end)
        try:
            result = await worker.pool.run(self._task(), self._report)
            # A progress report that is written after the job ends finds no claim, and must not cancel this task.
            self._is_generated = True
            # Not in the database thread, where hashing a large file would hold up every other write.
            ended = await self._finish(asyncio.to_thread, self._complete, result)
            kept = True
            if ended:
                self._log.succeeded(result)
            else:
                self._log.end(Outcome.STOPPED)
        except asyncio.CancelledError:
            if worker.is_closing:
                await self._finish(worker.write, worker.queue.release, self.claim)
            self._log.end(Outcome.RELEASED if worker.is_closing else Outcome.STOPPED)
            raise
        except Exception as error:
            # The border of the job runner: whatever went wrong, the job must end.
            await self._settle(error)
        finally:
            worker.streams.end(job.id, is_whole=kept and ended is not None)
            worker.events.publish(job.id, ended)
            if not kept:
                await asyncio.to_thread(self._path.unlink, missing_ok=True)

    def _task(self) -> Task:
        job = self.claim.job
        request = job.request.model_copy(update={"model": job.generated_by})
        # A job that may have crashed its runner must not take the jobs of a shared batch down again.
        options, alone = job.options, job.attempts > 1
        stream = options.stream or self._worker.streams.is_wanted(job.id)
        return Task(
            job.id, job.generated_by, request, self._path, options.keep_alive, alone, stream, layers=options.layers
        )

    def _complete(self, result: TaskResult) -> Job | None:
        """Store the file and finish the job; return it, or None if the claim was lost.

        Both steps run in one call, because each switch between threads costs time. Raises DatabaseError, after which it
        may be called again, DiskFull and FolderUnavailable.
        """
        # A retry after a database error must not store the file again: it has been moved already.
        self._stored = stored = self._stored or self._worker.results.keep(result.path)
        suffix = result.path.suffix[1:]
        file = JobResult(stored.digest, suffix, stored.bytes, result.duration, result.sample_rate, result.channels)
        return self._worker.queue.succeed(self.claim, file, {**result.metadata, **_fallback_notice(self.claim.job)})

    async def _settle(self, error: Exception) -> None:
        """Record the failure of the job, or requeue it if a retry may help."""
        worker, claim = self._worker, self.claim
        transient = transient_failure(error, self._path)
        if transient is None:
            if isinstance(error, DiskFull):
                # Now rather than later: the database may need the space to record the failure.
                self._path.unlink(missing_ok=True)
            failure, trace = final_failure(error)
            await self._finish(worker.write, worker.queue.fail, claim, failure)
            self._log.failed(failure, trace)
            return
        log.warning("%s", error)
        await self._finish(worker.write, worker.queue.requeue, claim, transient)
        self.is_requeued = True
        if claim.job.attempts < MAX_ATTEMPTS:
            self._log.end(Outcome.REQUEUED)
        else:
            self._log.failed(transient)

    async def _finish(self, write: Callable[..., Awaitable[T]], *arguments: Any) -> T | None:
        """Record the end of the job, and retry until the database is available.

        Returns None if the server shuts down first; the next worker then recovers the job.
        """
        while True:
            try:
                written = await write(*arguments)
                self._worker.fault.clear()
                return written
            except DatabaseError as error:
                self._worker.fault.report(f"cannot record the end of a job: {error}")
            if self._worker.is_closing:
                return None
            await asyncio.sleep(RETRY_SECONDS)

    def _report(self, report: ProgressReport) -> None:
        """Take a runner's progress report; it is written in order, without blocking."""
        if report.stream is not None:
            self._worker.streams.take(self.claim.job.id, stream_path(self._path), report.stream)
            return
        self._log.reported(report)
        queue = self._worker.queue
        # The runner that had the model loaded is gone, so the model loads again.
        if not report.running and self._is_running:
            self._is_running = False
            self._write_progress(queue.loading, self.claim)
        # The database has this state already, so only the stopwatch starts.
        elif self._is_running and not report.stage and report.loaded_seconds is None:
            queue.begin(self.claim)
        elif report.running and not report.stage:
            self._write_progress(queue.running, self.claim, report.loaded_seconds)
        elif report.running:
            self._write_progress(queue.progress, self.claim, report.fraction, report.stage)

    def _write_progress(self, write: Callable[..., bool], *arguments: Any) -> None:
        loop = asyncio.get_running_loop()
        written = self._worker.writer.submit(write, *arguments)
        written.add_done_callback(lambda done: loop.call_soon_threadsafe(self._on_progress_written, done))

    def _on_progress_written(self, written: Future[bool]) -> None:
        """Notify the job's subscribers; stop the run if its claim was lost."""
        job_id, error = self.claim.job.id, written.exception()
        # A database that is known to be unreachable is logged elsewhere.
        if error and self._worker.problem is None:
            log.error("cannot record the progress of a job: %s", error, extra={"job_id": job_id})
        if not error and not written.result():
            self.stop()
        self._worker.events.publish_progress(job_id)


def transient_failure(error: Exception, path: Path) -> Failure | None:
    """Return the failure to record if a retry does not help, or None if the error is not transient.

    ``path`` is the file that the job was to write.
    """
    if isinstance(error, RunnerCrashed):
        return CRASHED
    if isinstance(error, FolderUnavailable):
        return Failure(error.code, error.problem)
    # A runner reports a folder that was removed as an internal error, because it cannot know the cause.
    is_internal = isinstance(error, TaskFailed) and error.kind == INTERNAL_ERROR
    return REMOVED if is_internal and not path.parent.is_dir() else None


def final_failure(error: Exception) -> tuple[Failure, str]:
    """Return the failure of an error that no retry helps, and the traceback for the log: empty if it is no bug."""
    if isinstance(error, TaskFailed):
        return Failure(error.kind, str(error)), error.trace
    if isinstance(error, DiskFull):
        return Failure(error.code, str(error)), ""
    return BUG, "".join(traceback.format_exception(error))


def _fallback_notice(job: Job) -> dict[str, Any]:
    """Return the metadata that states a fallback: the requested model and the ignored fields; empty without one."""
    if job.fallback_for is None:
        return {}
    dropped = job.options.dropped
    return {"asked_model": job.fallback_for} | ({"dropped": list(dropped)} if dropped else {})
