"""JobQueue: what workers do with jobs: claim them, report on them, and finish them, exactly once.

Every report is a compare-and-set on the claim it belongs to. A worker that was taken for dead, or whose job was
canceled, is told False and changes nothing, so no job finishes twice and no final state ever changes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from tunesmith.errors import DatabaseDamaged
from tunesmith.jobs.job import Claim, Failure, Job, JobResult, JobState
from tunesmith.jobs.row_mapping import job_of, result_values, running_values
from tunesmith.jobs.speed_estimates import Speed, SpeedEstimates
from tunesmith.jobs.sql import (
    ANY_WAITS,
    CHANGE,
    CLAIM,
    HELD,
    INSERT_TRACK,
    IS_ACTIVE,
    IS_CLAIMED,
    NEXT_JOB,
    NEXT_JOB_OF_MODELS,
    RELEASE,
    SUCCEED,
    take_turn,
)
from tunesmith.jobs.track_record import track_from_job
from tunesmith.jobs.unreadable import UnreadableJob, read_job, unreadable
from tunesmith.library.clock import Clock
from tunesmith.library.database import DAMAGED, Database
from tunesmith.library.schema import jobs, workers
from tunesmith.library.tracks import track_row

log = logging.getLogger("tunesmith.job")

MAX_ATTEMPTS = 2
"""How often a job is tried whose runner dies."""
MAX_CLAIMS = 20
"""How often a job is taken up when whole servers die: that is seldom its fault, but it may be."""
PROGRESS_SECONDS = 0.25
"""How often at most a job's progress is written down."""

SET_CLOCK_SECONDS = 1.0
"""By how much two clocks disagree about a duration where one of them was set meanwhile."""

MIN_FRACTION_TO_EXTRAPOLATE = 0.05
CRASHED = Failure("Crashed", "the process that made it ended again and again before it was done")


class JobQueue:
    """The jobs in a database, for the workers' side. Safe to share between threads and between processes."""

    def __init__(self, database: Database, clock: Clock = time.time, elapsed: Clock = time.monotonic) -> None:
        """``elapsed`` measures how long things take; ``clock``, which may be set, only says when they were."""
        self._database = database
        self._clock = clock
        self._elapsed = elapsed
        self._began: dict[tuple[str, int], tuple[float, float]] = {}  # by both clocks
        self._speeds = SpeedEstimates(database)
        self._take_turn = take_turn(database)
        self._reported: dict[tuple[str, int], tuple[float, str]] = {}

    def claim(self, worker: str, models: Collection[str] | None = None) -> Claim | None:
        """Take the next job of these models (None: of any), or return None where none waits.

        The next is of the highest priority, then of the owner served the longest ago, then the oldest. One that cannot
        be read fails, so that it does not stand in the way of the others.
        """
        while True:
            with self._database.write() as connection:
                row = self._claimed_row(connection, worker, models)
                if row is None:
                    return None
                try:
                    job = read_job(row, row["started_at"])
                except UnreadableJob as error:
                    log.error("%s", unreadable(error).message, extra={"job_id": row["id"]})
                    end = _end(JobState.FAILED, row["started_at"]) | _failure_values(unreadable(error))
                    connection.execute(sa.update(jobs).where(jobs.c.id == row["id"]).values(end))
                    continue
                is_last = not connection.execute(ANY_WAITS).scalar_one()
                return Claim(job, worker, row["claims"], is_last)

    def _claimed_row(
        self, connection: sa.Connection, worker: str, models: Collection[str] | None
    ) -> sa.RowMapping | None:
        """Take the next job, and note that its owner was served."""
        if models is None:
            job_id = connection.execute(NEXT_JOB).scalar()
        else:
            job_id = connection.execute(NEXT_JOB_OF_MODELS, {"the_models": list(models)}).scalar()
        if job_id is None:
            return None
        values = {"the_id": job_id, "state": JobState.LOADING.value, "worker": worker, "started_at": self._clock()}
        row = connection.execute(CLAIM, {**values, "stage": "loading"}).mappings().first()
        if row is None:  # an index names a row that there is not
            raise DatabaseDamaged(self._database.where, DAMAGED)
        connection.execute(self._take_turn, {"owner": row["owner"]})
        return row

    def waiting_models(self) -> Mapping[str, int]:
        """Count the waiting jobs by the model that is to make them."""
        waiting = sa.select(jobs.c.generated_by, sa.func.count()).where(jobs.c.state == JobState.QUEUED.value)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(waiting.group_by(jobs.c.generated_by))}

    def running(self, claim: Claim, load_seconds: float | None = None) -> bool:
        """Report that the model is loaded and works on it, and what the loading took where it was not loaded before."""
        now, job = self._clock(), claim.job
        self.begin(claim)
        with self._database.write() as connection:
            if load_seconds is not None:
                self._speeds.observe(connection, job.generated_by, Speed(load_seconds=load_seconds))
            estimate = self._speeds.of(connection, job.generated_by).seconds_for(job.audio_seconds)
            return _change(connection, CHANGE, claim, running_values(now, estimate))

    def loading(self, claim: Claim) -> bool:
        """Report that the model has to be loaded for a job that was to begin at once."""
        values = {"state": JobState.LOADING.value, "stage": "loading", "running_at": None, "eta_at": None}
        with self._database.write() as connection:
            return _change(connection, CHANGE, claim, values)

    def begin(self, claim: Claim) -> None:
        """Measure from now on what making the job takes; nothing is written."""
        self._began[_key(claim)] = self._elapsed(), self._clock()

    def loaded(self, model: str, load_seconds: float) -> None:
        """Report what loading a model took that no job was waiting for."""
        with self._database.write() as connection:
            self._speeds.observe(connection, model, Speed(load_seconds=load_seconds))

    def load_seconds(self, model: str) -> float | None:
        """Return what loading the model takes, None where it was never measured."""
        with self._database.read() as connection:
            return self._speeds.of(connection, model).load_seconds

    def progress(self, claim: Claim, fraction: float, stage: str) -> bool:
        """Report how far it is, 0 to 1; False once the job is no longer this claim's and work on it should stop.

        Reports of the same stage that follow each other within ``PROGRESS_SECONDS`` are not written down, and say True.
        """
        now, key = self._elapsed(), _key(claim)
        at, before = self._reported.get(key, (float("-inf"), ""))
        if now - at < PROGRESS_SECONDS and stage == before:
            return True
        self._reported[key] = (now, stage)
        values = {"progress": min(1.0, max(0.0, fraction)), "stage": stage}
        if fraction >= MIN_FRACTION_TO_EXTRAPOLATE:
            began, _ = self._began.setdefault(key, (now, self._clock()))
            values["eta_at"] = self._clock() + (now - began) * max(0.0, 1 - fraction) / fraction
        with self._database.write() as connection:
            ours = _change(connection, CHANGE, claim, values)
        if not ours:
            self._forget(claim)
        return ours

    def succeed(self, claim: Claim, result: JobResult, metadata: Mapping[str, Any]) -> Job | None:
        """Finish a job with the file it made and return it; its speed is measured.

        The file becomes a track of the prompt log, unless it was made for one that is there. None if the job is no
        longer this claim's.
        """
        now, model = self._clock(), claim.job.generated_by
        values = _end(JobState.SUCCEEDED, now) | result_values(result) | {"progress": 1.0, "metadata": dict(metadata)}
        took = self._took(claim)
        with self._database.write() as connection:
            self._correct_times(connection, claim, now)
            row = connection.execute(SUCCEED, _where_claimed(claim) | values).mappings().first()
            if row is not None:
                began_at: float = row["running_at"]
                if claim.job.options.for_track is None:
                    made = track_from_job(claim.job, result, metadata, (began_at, now))
                    connection.execute(INSERT_TRACK, track_row(made, now))
                if result.is_sound and result.duration > 0:
                    seconds = now - began_at if took is None else took
                    speed = Speed(seconds_per_audio_second=seconds / result.duration)
                    self._speeds.observe(connection, model, speed)
        self._forget(claim)
        return None if row is None else job_of(row, now, claim.job.request)

    def fail(self, claim: Claim, failure: Failure) -> bool:
        """Finish a job without a file; False if the job is no longer this claim's."""
        now = self._clock()
        values = _end(JobState.FAILED, now) | _failure_values(failure)
        with self._database.write() as connection:
            self._correct_times(connection, claim, now)
            ours = _change(connection, CHANGE, claim, values)
        self._forget(claim)
        return ours

    def requeue(self, claim: Claim, failure: Failure = CRASHED) -> bool:
        """Give a job back whose runner died: it is tried once more, and then failed with ``failure``.

        False if the job is no longer this claim's.
        """
        self._forget(claim)
        with self._database.write() as connection:
            spent = jobs.c.attempts >= MAX_ATTEMPTS
            return self._give_back(connection, IS_CLAIMED, spent, (_where_claimed(claim), _QUEUED_AGAIN), failure) > 0

    def release(self, claim: Claim) -> bool:
        """Give a job back because this process shuts down; the attempt does not count."""
        self._forget(claim)
        with self._database.write() as connection:
            return _change(connection, RELEASE, claim, _QUEUED_AGAIN)

    def held(self, worker: str) -> frozenset[str]:
        """Return the ids of the jobs that are this worker's; one it works on that is missing was canceled or taken."""
        with self._database.read() as connection:
            return frozenset(connection.execute(HELD, {"the_worker": worker}).scalars())

    def recover(self) -> int:
        """Requeue the jobs of workers that are no longer listed, and return how many there were.

        The attempt does not count, but a job that was claimed again and again fails.
        """
        orphaned = IS_ACTIVE & (jobs.c.worker.is_(None) | jobs.c.worker.not_in(sa.select(workers.c.id)))
        uncounted = {**_QUEUED_AGAIN, "attempts": jobs.c.attempts - 1}
        with self._database.write() as connection:
            self._database.lock(connection, "recover")
            return self._give_back(connection, orphaned, jobs.c.claims >= MAX_CLAIMS, ({}, uncounted))

    def take_back(self, worker: str, job_ids: Collection[str]) -> int:
        """Queue jobs again that the worker holds and does not work on; return how many. The attempt does not count."""
        lost = IS_ACTIVE & (jobs.c.worker == worker) & jobs.c.id.in_(list(job_ids))
        uncounted = {**_QUEUED_AGAIN, "attempts": jobs.c.attempts - 1}
        with self._database.write() as connection:
            return self._give_back(connection, lost, jobs.c.claims >= MAX_CLAIMS, ({}, uncounted))

    def _forget(self, claim: Claim) -> None:
        """Drop what was kept in memory about a claim that has ended."""
        self._reported.pop(_key(claim), None)
        self._began.pop(_key(claim), None)

    def _took(self, claim: Claim) -> float | None:
        """Return for how long the job has been made, None where it was not reported to run."""
        began = self._began.get(_key(claim))
        return None if began is None else self._elapsed() - began[0]

    def _correct_times(self, connection: sa.Connection, claim: Claim, now: float) -> None:
        """Where the clock was set while the job was made, move its times, so that it took as long as it did."""
        took = self._took(claim)
        if took is None:
            return
        running_at = self._began[_key(claim)][1]
        if abs(now - running_at - took) <= SET_CLOCK_SECONDS:
            return
        loading = max(0.0, running_at - (claim.job.started_at or running_at))
        times = {"running_at": now - took, "started_at": now - took - loading}
        _change(connection, CHANGE, claim, times)

    def _give_back(
        self, connection: sa.Connection, which: sa.ColumnElement[bool], spent: sa.ColumnElement[bool],
        values: tuple[Mapping[str, Any], Mapping[str, Any]], failure: Failure = CRASHED,
    ) -> int:  # fmt: skip
        """Fail those whose tries are spent, requeue the others; ``values`` are the condition's and the requeued's."""
        the, again = values
        end = _end(JobState.FAILED, self._clock()) | _failure_values(failure)
        failed = connection.execute(sa.update(jobs).where(which & spent), {**the, **end}).rowcount
        return failed + connection.execute(sa.update(jobs).where(which & ~spent).values(again), dict(the)).rowcount


_QUEUED_AGAIN: Mapping[str, Any] = {
    "state": JobState.QUEUED.value, "worker": None, "started_at": None, "running_at": None,
    "progress": 0.0, "stage": "", "eta_at": None,
}  # fmt: skip


def _key(claim: Claim) -> tuple[str, int]:
    return claim.job.id, claim.number


def _where_claimed(claim: Claim) -> dict[str, Any]:
    return {"the_id": claim.job.id, "the_worker": claim.worker, "the_claim": claim.number}


def _change(connection: sa.Connection, statement: sa.Update, claim: Claim, values: Mapping[str, Any]) -> bool:
    return connection.execute(statement, {**_where_claimed(claim), **values}).rowcount > 0


def _end(state: JobState, now: float) -> dict[str, Any]:
    return {"state": state.value, "finished_at": now, "stage": "", "eta_at": None}


def _failure_values(failure: Failure) -> dict[str, Any]:
    """Return the failure as columns; PostgreSQL keeps no NUL character and no half of a surrogate pair."""
    message = failure.message.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return {"error_kind": failure.kind, "error_message": message}
