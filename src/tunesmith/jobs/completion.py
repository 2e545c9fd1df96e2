"""Completion: the last step of a successful job: its file to the results, its row and track to the database."""

from __future__ import annotations

from tunesmith.jobs.fallback import fallback_notice
from tunesmith.jobs.job import Claim, Job, JobResult
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles, StoredFile
from tunesmith.jobs.runners.pool import TaskResult


class Completion:
    """A callable that stores the file of a task and finishes its job.

    Both steps run in one call, because each switch between threads costs time. It is safe to retry after a
    DatabaseError.
    """

    def __init__(self, results: ResultFiles, queue: JobQueue, claim: Claim, output: TaskResult) -> None:
        self._results = results
        self._queue = queue
        self._claim = claim
        self._output = output
        self._stored: StoredFile | None = None

    def __call__(self) -> Job | None:
        """Return the finished job, or None if the claim was lost.

        Raises DatabaseError, DiskFull and FolderUnavailable.
        """
        output = self._output
        # A retry after a database error must not store the file again: it has been moved already.
        self._stored = stored = self._stored or self._results.keep(output.path)
        suffix = output.path.suffix[1:]
        result = JobResult(stored.digest, suffix, stored.bytes, output.duration, output.sample_rate, output.channels)
        return self._queue.succeed(self._claim, result, {**output.metadata, **fallback_notice(self._claim.job)})
