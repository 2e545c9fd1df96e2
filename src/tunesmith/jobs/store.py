"""JobStore: the callers' side of the queue: submit, read, list and cancel jobs, within their owners' quotas.

The workers' side is ``queue.py``.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from tunesmith.errors import IdempotencyConflict, InvalidRequest, JobNotFound, QueueFull
from tunesmith.jobs.estimates import QueueSnapshot, SpeedEstimates, read_queue
from tunesmith.jobs.job import Claim, Job, JobState, Submission, is_job_id, new_job_id
from tunesmith.jobs.row_mapping import claim_values, job_of, row_of, running_values, shown_job
from tunesmith.jobs.sql import (
    CANCEL,
    COUNT_BY_OWNER,
    COUNT_WAITING,
    INSERT_JOB,
    JOB_BY_ID,
    JOB_BY_KEY,
    JOBS_BY_ID,
    UNFINISHED,
    take_turn,
)
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import jobs, tokens
from tunesmith.library.tokens import Allowance, RateLimit
from tunesmith.request import UPLOADED

THINGS = "pieces"
_QUOTA_OF_TOKEN = sa.select(tokens.c.quota).where(tokens.c.id == sa.bindparam("the_owner"))


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of owners: that of an API token's row, or ``anonymous`` for an owner that is an address group."""

    anonymous: RateLimit | None = None

    def left_to(self, connection: sa.Connection, owner: str, now: float) -> Allowance | None:
        """Return what is left of an owner's quota at ``now`` (Unix time), or None if it is unlimited or has no name."""
        quota = self._of(connection, owner) if owner else None
        if quota is None:
            return None
        began, ends = quota.window(now)
        # Job ids sort by time, so those of a window lie between these two and the index serves the count.
        first, end = new_job_id(began, bytes), new_job_id(ends, bytes)
        which = {"the_owner": owner, "the_first": first, "the_end": end}
        used = connection.execute(COUNT_BY_OWNER, which).scalar_one()
        return Allowance(THINGS, quota, max(0, quota.count - used), ends)

    def _of(self, connection: sa.Connection, owner: str) -> RateLimit | None:
        found = connection.execute(_QUOTA_OF_TOKEN, {"the_owner": owner}).first()
        if found is None:
            return self.anonymous
        return None if found.quota is None else RateLimit.parse("quota", found.quota)


NO_QUOTAS = Quotas()


PAGE = 100


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """A worker's reserved capacity for a job, which starts to generate at once if the model ``is_loaded``."""

    worker: str
    is_loaded: bool = False


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """A submitted job; ``created`` is False if its idempotency key matched an earlier job.

    ``claim`` is set if a worker claimed the job at once; ``job`` is the job before that.
    """

    job: Job
    created: bool
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """The filter of a list: one owner, one API, some states; None is no filter."""

    owner: str | None = None
    dialect: str | None = None
    states: Collection[JobState] | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, newest first; ``next_before`` is the cursor of the next page, None on the last."""

    jobs: tuple[Job, ...]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The number of unfinished jobs of a model in a state, and the age of the oldest in seconds."""

    model: str
    state: JobState
    jobs: int
    oldest_seconds: float


EVERYTHING = JobFilter()


class JobStore:
    """The jobs in a database, for servers. Safe to share between threads and between processes."""

    def __init__(
        self, database: Database, queue_limit: int, clock: Clock = time.time, quotas: Quotas = NO_QUOTAS
    ) -> None:
        self._database = database
        self._queue_limit = queue_limit
        self._quotas = quotas
        self._clock = clock
        self._speeds = SpeedEstimates(database)
        self._take_turn = take_turn(database)

    def submit(self, submission: Submission, slot: WorkerSlot | None = None) -> SubmitResult:
        """Submit a job durably: once this returns, no crash of a process loses it.

        A worker with a free ``slot`` claims it in the same transaction, unless other jobs wait.

        Raises RateLimited if the owner's quota is used up, QueueFull if ``queue_limit`` jobs wait, and
        IdempotencyConflict for a key that was used with another request.
        """
        now = self._clock()
        row = row_of(submission, new_job_id(now), now)
        with self._database.write() as connection:
            # Two requests with the same idempotency key, or at the last free slot, must not both pass the checks.
            self._database.lock(connection, "submit")
            # Before the quota and the limit of the queue: a retried request must find its job even when both are
            # exhausted.
            earlier = _with_key(connection, row)
            if earlier is not None:
                return SubmitResult(shown_job(earlier, now), created=False)
            left = self._quotas.left_to(connection, row["owner"], now)
            if left is not None:
                replace(left, is_exceeded=left.remaining == 0).check(now)
            waiting = connection.execute(COUNT_WAITING).scalar_one()
            if waiting >= self._queue_limit:
                raise QueueFull(self._queue_limit, read_queue(connection, self._speeds, now).retry_after())
            # A new job must not overtake those that wait.
            claimed = {} if slot is None or waiting else self._claimed(connection, row, slot, now)
            connection.execute(INSERT_JOB, row | claimed)
        job = job_of(row, now, submission)
        if slot is None or not claimed:
            return SubmitResult(job, created=True)
        begun = job_of(row | claimed, now, submission)
        # No other job waits, or this one would not have been claimed.
        return SubmitResult(job, created=True, claim=Claim(begun, slot.worker, claimed["claims"], is_last=True))

    def _claimed(
        self, connection: sa.Connection, row: Mapping[str, Any], slot: WorkerSlot, now: float
    ) -> dict[str, Any]:
        """Record that the owner of a new job is served, and return the columns of the claim."""
        connection.execute(self._take_turn, {"owner": row["owner"]})
        claimed = claim_values(slot.worker, now)
        if slot.is_loaded:
            speed = self._speeds.of(connection, row["generated_by"])
            claimed |= running_values(now, speed.seconds_for(row["audio_seconds"]))
        return claimed

    def get(self, job_id: str) -> Job:
        """Return a job. Raises JobNotFound."""
        if not is_job_id(job_id):
            raise JobNotFound(job_id)
        with self._database.read() as connection:
            row = connection.execute(JOB_BY_ID, {"the_id": job_id}).mappings().first()
        if row is None:
            raise JobNotFound(job_id)
        return shown_job(row, self._clock())

    def get_many(self, job_ids: Collection[str]) -> Mapping[str, Job]:
        """Return the jobs that exist, by id, with one query."""
        valid_ids = [job_id for job_id in job_ids if is_job_id(job_id)]
        with self._database.read() as connection:
            rows = connection.execute(JOBS_BY_ID, {"the_ids": valid_ids}).mappings().all()
        now = self._clock()
        return {row["id"]: shown_job(row, now) for row in rows}

    def list(self, which: JobFilter = EVERYTHING, limit: int = PAGE, before: str | None = None) -> JobPage:
        """Return a page of jobs, newest first, older than the job ``before``.

        Raises InvalidRequest for a limit below 1, JobNotFound if ``before`` is not a job id.
        """
        if limit < 1:
            raise InvalidRequest("limit", f"must be at least 1, got {limit}")
        if before is not None and not is_job_id(before):
            raise JobNotFound(before)
        # One job more than the page holds tells whether there is a next page.
        query = sa.select(jobs).order_by(jobs.c.id.desc()).limit(limit + 1)
        for condition in _conditions(which):
            query = query.where(condition)
        if before is not None:
            query = query.where(jobs.c.id < before)
        now = self._clock()
        with self._database.read() as connection:
            found = [shown_job(row, now) for row in connection.execute(query).mappings()]
        return JobPage(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    def allowance(self, owner: str) -> Allowance | None:
        """Return what is left of an owner's quota, or None if it has none."""
        with self._database.read() as connection:
            return self._quotas.left_to(connection, owner, self._clock())

    def check_quota(self, owner: str | None, idempotency_key: str | None = None) -> None:
        """Raise RateLimited if the owner's quota is used up, unless the idempotency key is one that it used before."""
        now = self._clock()
        with self._database.read() as connection:
            left = self._quotas.left_to(connection, owner or "", now)
            if left is None or left.remaining > 0:
                return
            known = {"the_owner": owner, "the_key": idempotency_key}
            if idempotency_key is None or connection.execute(JOB_BY_KEY, known).first() is None:
                replace(left, is_exceeded=True).check(now)

    def counts(self) -> Mapping[JobState, int]:
        """Count the unfinished jobs by state."""
        query = sa.select(jobs.c.state, sa.func.count()).where(jobs.c.state.in_(UNFINISHED)).group_by(jobs.c.state)
        with self._database.read() as connection:
            return {JobState(state): count for state, count in connection.execute(query) if state in UNFINISHED}

    def depths(self) -> tuple[QueueDepth, ...]:
        """Count the unfinished jobs by model and state."""
        columns = (jobs.c.generated_by, jobs.c.state)
        oldest = sa.func.min(jobs.c.created_at)
        query = sa.select(*columns, sa.func.count(), oldest).where(jobs.c.state.in_(UNFINISHED)).group_by(*columns)
        now = self._clock()
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            QueueDepth(model, JobState(state), count, max(0.0, now - at))
            for model, state, count, at in rows
            if state in UNFINISHED
        )

    def ping(self) -> None:
        """Check that the database responds and is not known to be damaged. Raises DatabaseError."""
        self._database.check()
        with self._database.read() as connection:
            connection.execute(sa.select(jobs.c.id).limit(1))

    def queue(self) -> QueueSnapshot:
        """Return a snapshot of the queue, for positions and waiting times."""
        with self._database.read() as connection:
            return read_queue(connection, self._speeds, self._clock())

    def cancel(self, job_id: str) -> Job:
        """Cancel a job unless it has ended, and return it. Raises JobNotFound.

        Its worker notices at its next progress report, or through ``JobQueue.held``.
        """
        if not is_job_id(job_id):
            raise JobNotFound(job_id)
        end = {"state": JobState.CANCELED.value, "finished_at": self._clock(), "eta_at": None}
        with self._database.write() as connection:
            connection.execute(CANCEL, {"the_id": job_id, **end})
        return self.get(job_id)

    def result_uses(self) -> Mapping[str, float]:
        """Return the time at which each result's last job finished, by digest."""
        query = sa.select(jobs.c.digest, sa.func.max(jobs.c.finished_at)).where(
            jobs.c.digest.is_not(None) & ~jobs.c.data_removed
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query.group_by(jobs.c.digest))}

    def recordings_in_use(self) -> frozenset[str]:
        """Return the paths of the recordings and scores that unfinished jobs need."""
        query = sa.select(jobs.c.request).where(jobs.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            requests = connection.execute(query).scalars().all()
        # A damaged row must not stop the cleanup of all others.
        readable = [request for request in requests if isinstance(request, dict)]
        named = (request.get(name) for request in readable for name in UPLOADED)
        return frozenset(str(path) for path in named if path)

    def forget_results(self, digests: Collection[str], finished_before: float) -> None:
        """Mark the files of jobs that finished before a time as removed; later jobs may have stored them again."""
        old = jobs.c.finished_at < finished_before
        with self._database.write() as connection:
            for digest in digests:
                connection.execute(sa.update(jobs).where((jobs.c.digest == digest) & old).values(data_removed=True))


def _with_key(connection: sa.Connection, row: Mapping[str, Any]) -> sa.RowMapping | None:
    """Return the owner's earlier job with the same idempotency key, if any. Raises IdempotencyConflict."""
    key = row["idempotency_key"]
    if key is None:
        return None
    found = connection.execute(JOB_BY_KEY, {"the_owner": row["owner"], "the_key": key}).mappings().first()
    # The same key with another request is a bug of the client, not a retry.
    if found is not None and found["fingerprint"] != row["fingerprint"]:
        raise IdempotencyConflict(key)
    return found


def _conditions(which: JobFilter) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if which.owner is not None:
        conditions.append(jobs.c.owner == which.owner)
    if which.dialect is not None:
        conditions.append(jobs.c.dialect == which.dialect)
    if which.states is not None:
        conditions.append(jobs.c.state.in_([state.value for state in which.states]))
    return conditions
