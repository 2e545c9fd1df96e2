"""Completion: the end of a job that succeeded. Its file goes to the results, its row and its track to the database."""

from __future__ import annotations

from tunesmith.jobs.fallback import fallback_notice
from tunesmith.jobs.job import Claim, Job, JobResult
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles, StoredFile
from tunesmith.jobs.runners.pool import TaskResult


class Completion:
    """Stores the file of a task and finishes its job, in one call because every change of thread takes its time.

    It can be called again where the database was not there.
    """

    def __init__(self, results: ResultFiles, queue: JobQueue, claim: Claim, made: TaskResult) -> None:
        self._results = results
        self._queue = queue
        self._claim = claim
        self._made = made
        self._stored: StoredFile | None = None

    def __call__(self) -> Job | None:
        """Return the job as it ended, or None where it was no longer ours."""
        made = self._made
        self._stored = stored = self._stored or self._results.keep(made.path)
        suffix = made.path.suffix[1:]
        result = JobResult(stored.digest, suffix, stored.bytes, made.duration, made.sample_rate, made.channels)
        return self._queue.succeed(self._claim, result, {**made.metadata, **fallback_notice(self._claim.job)})
