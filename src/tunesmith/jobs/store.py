"""JobStore: what callers do with jobs: hand them in, look at them, list them, cancel them.

What workers do with them is in ``queue.py``.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tunesmith.errors import IdempotencyConflict, JobNotFound, QueueFull
from tunesmith.jobs.job import Job, JobState, Submission, new_job_id
from tunesmith.jobs.rows import fingerprint, job_of, row_of
from tunesmith.jobs.waiting import Queue, read_queue
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.tables import ACTIVE_STATES, jobs

PAGE = 100


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job in the queue; ``created`` is False where its idempotency key found one handed in before."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list: of one owner, of one dialect, in some states; None is all."""

    owner: str | None = None
    dialect: str | None = None
    states: Collection[JobState] | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; ``next_before`` asks for the page after them and is None on the last."""

    jobs: tuple[Job, ...]
    next_before: str | None


EVERYTHING = JobFilter()


class JobStore:
    """The jobs in a database, for the servers' side. Safe to share between threads and between processes."""

    def __init__(self, database: Database, queue_limit: int, clock: Clock = time.time) -> None:
        self._database = database
        self._queue_limit = queue_limit
        self._clock = clock

    def submit(self, submission: Submission) -> Submitted:
        """Queue a job; once this returns, it is not lost whatever process dies.

        Raises QueueFull when ``queue_limit`` jobs wait, and IdempotencyConflict for a key used for another request.
        """
        now = self._clock()
        with self._database.write() as connection:
            self._database.lock(connection, "submit")
            earlier = self._with_key(connection, submission)
            if earlier is not None:
                if earlier["fingerprint"] != fingerprint(submission):
                    raise IdempotencyConflict(submission.idempotency_key or "")
                return Submitted(job_of(earlier, now), created=False)
            self._check_room(connection, now)
            insert = sa.insert(jobs).values(row_of(submission, new_job_id(now), now)).returning(*jobs.c)
            return Submitted(job_of(connection.execute(insert).mappings().one(), now), created=True)

    def _with_key(self, connection: sa.Connection, submission: Submission) -> sa.RowMapping | None:
        if submission.idempotency_key is None:
            return None
        same = (jobs.c.owner == (submission.owner or "")) & (jobs.c.idempotency_key == submission.idempotency_key)
        return connection.execute(sa.select(jobs).where(same)).mappings().first()

    def _check_room(self, connection: sa.Connection, now: float) -> None:
        if _count(connection, jobs.c.state == JobState.QUEUED.value) >= self._queue_limit:
            raise QueueFull(self._queue_limit, read_queue(connection, now).retry_after())

    def get(self, job_id: str) -> Job:
        """Return a job; raises JobNotFound."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).mappings().first()
        if row is None:
            raise JobNotFound(job_id)
        return job_of(row, self._clock())

    def list(self, which: JobFilter = EVERYTHING, limit: int = PAGE, before: str | None = None) -> JobPage:
        """Return a page of jobs, newest first, older than the job ``before``."""
        query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(limit + 1)
        for condition in _conditions(which):
            query = query.where(condition)
        if before is not None:
            query = query.where(jobs.c.id < before)
        now = self._clock()
        with self._database.read() as connection:
            found = [job_of(row, now) for row in connection.execute(query).mappings()]
        return JobPage(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def submitted_since(self, owner: str, since: float) -> int:
        """Count an owner's jobs handed in at or after a time: what a daily quota is held against."""
        with self._database.read() as connection:
            return _count(connection, (jobs.c.owner == owner) & (jobs.c.id >= new_job_id(since, bytes)))

    def counts(self) -> Mapping[JobState, int]:
        """Count the jobs that wait or are being made, by state."""
        unfinished = (JobState.QUEUED.value, *ACTIVE_STATES)
        query = sa.select(jobs.c.state, sa.func.count()).where(jobs.c.state.in_(unfinished)).group_by(jobs.c.state)
        with self._database.read() as connection:
            return {JobState(state): count for state, count in connection.execute(query)}

    def queue(self) -> Queue:
        """Return the queue as it is, to ask for places and waits."""
        with self._database.read() as connection:
            return read_queue(connection, self._clock())

    def cancel(self, job_id: str) -> Job:
        """Cancel a job unless it is finished, and return it as it then is; raises JobNotFound.

        Its worker learns of it at its next report of progress, or from ``JobQueue.held``.
        """
        unfinished = jobs.c.state.in_((JobState.QUEUED.value, *ACTIVE_STATES))
        end = {"state": JobState.CANCELED.value, "finished_at": self._clock(), "eta_at": None}
        with self._database.write() as connection:
            connection.execute(sa.update(jobs).where((jobs.c.id == job_id) & unfinished).values(end))
        return self.get(job_id)

    def result_uses(self) -> Mapping[str, float]:
        """Return when each result file's last job finished, by the file's digest."""
        query = sa.select(jobs.c.digest, sa.func.max(jobs.c.finished_at)).where(
            jobs.c.digest.is_not(None) & ~jobs.c.data_removed
        )
        with self._database.read() as connection:
            return dict(connection.execute(query.group_by(jobs.c.digest)).tuples().all())

    def forget_results(self, digests: Collection[str]) -> None:
        """Note that these files are gone."""
        with self._database.write() as connection:
            for digest in digests:
                connection.execute(sa.update(jobs).where(jobs.c.digest == digest).values(data_removed=True))


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(jobs).where(condition)).scalar_one()


def _conditions(which: JobFilter) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if which.owner is not None:
        conditions.append(jobs.c.owner == which.owner)
    if which.dialect is not None:
        conditions.append(jobs.c.dialect == which.dialect)
    if which.states is not None:
        conditions.append(jobs.c.state.in_([state.value for state in which.states]))
    return conditions
