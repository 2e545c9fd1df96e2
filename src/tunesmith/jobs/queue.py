"""JobQueue: the workers' side of the queue: claim jobs, report progress and finish them, exactly once.

Every report is a compare-and-set on the claim that it belongs to. A worker that was declared dead, or whose job was
canceled, gets False and changes nothing: no job finishes twice, and no terminal state ever changes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from tunesmith.errors import DatabaseDamaged
from tunesmith.jobs.estimates import Speed, SpeedEstimates
from tunesmith.jobs.job import Claim, Failure, Job, JobResult, JobState
from tunesmith.jobs.row_mapping import (
    UnreadableJob,
    read_job,
    result_values,
    running_values,
    track_from_job,
    unreadable,
)
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
from tunesmith.library.clock import Clock
from tunesmith.library.database import DAMAGED, Database
from tunesmith.library.schema import jobs, workers
from tunesmith.library.tracks import track_row

log = logging.getLogger("tunesmith.job")

MAX_ATTEMPTS = 2
"""The attempts for a job whose runner crashes."""
MAX_CLAIMS = 20
"""The claims for a job whose servers die: seldom its fault, but a job that kills servers must not live forever."""
PROGRESS_SECONDS = 0.25
"""The minimum interval in seconds between two progress reports that are written for a job."""

SET_CLOCK_SECONDS = 1.0
"""The difference in seconds between both clocks above which the wall clock must have been set meanwhile."""

# From less, an estimate would jump with every report.
MIN_FRACTION_TO_EXTRAPOLATE = 0.05
CRASHED = Failure("Crashed", "the runner process ended repeatedly before the job was done")


class JobQueue:
    """The queue in a database, for workers. Safe to share between threads and between processes."""

    def __init__(self, database: Database, clock: Clock = time.time, elapsed: Clock = time.monotonic) -> None:
        """``elapsed`` measures durations; ``clock``, which may be set at any time, only gives timestamps."""
        self._database = database
        self._clock = clock
        self._elapsed = elapsed
        # The start of generation by claim, on both clocks.
        self._began: dict[tuple[str, int], tuple[float, float]] = {}
        self._speeds = SpeedEstimates(database)
        self._take_turn = take_turn(database)
        self._reported: dict[tuple[str, int], tuple[float, str]] = {}

    def claim(self, worker: str, models: Collection[str] | None = None) -> Claim | None:
        """Claim the next job of these models (None: of any); return None if no job waits.

        The order is: highest priority, then the owner served least recently, then the oldest job. A job that cannot be
        read fails at once, so that it does not block the queue.
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
                # In the same transaction, so that the dispatcher need not ask again for an empty queue.
                is_last = not connection.execute(ANY_WAITS).scalar_one()
                return Claim(job, worker, row["claims"], is_last)

    def _claimed_row(
        self, connection: sa.Connection, worker: str, models: Collection[str] | None
    ) -> sa.RowMapping | None:
        """Claim the next job and record that its owner was served."""
        if models is None:
            job_id = connection.execute(NEXT_JOB).scalar()
        else:
            job_id = connection.execute(NEXT_JOB_OF_MODELS, {"the_models": list(models)}).scalar()
        if job_id is None:
            return None
        values = {"the_id": job_id, "state": JobState.LOADING.value, "worker": worker, "started_at": self._clock()}
        row = connection.execute(CLAIM, {**values, "stage": "loading"}).mappings().first()
        # An index names a row that does not exist.
        if row is None:
            raise DatabaseDamaged(self._database.where, DAMAGED)
        connection.execute(self._take_turn, {"owner": row["owner"]})
        return row

    def waiting_models(self) -> Mapping[str, int]:
        """Count the waiting jobs by the model that generates them."""
        waiting = sa.select(jobs.c.generated_by, sa.func.count()).where(jobs.c.state == JobState.QUEUED.value)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(waiting.group_by(jobs.c.generated_by))}

    def running(self, claim: Claim, load_seconds: float | None = None) -> bool:
        """Report that generation starts; ``load_seconds`` is the time to load the model, None if it was loaded before.

        Returns False if the claim was lost.
        """
        now, job = self._clock(), claim.job
        self.begin(claim)
        with self._database.write() as connection:
            if load_seconds is not None:
                self._speeds.observe(connection, job.generated_by, Speed(load_seconds=load_seconds))
            estimate = self._speeds.of(connection, job.generated_by).seconds_for(job.audio_seconds)
            return _change(connection, CHANGE, claim, running_values(now, estimate))

    def loading(self, claim: Claim) -> bool:
        """Report that the model must load after all; False if the claim was lost."""
        # The ETA was that of a loaded model.
        values = {"state": JobState.LOADING.value, "stage": "loading", "running_at": None, "eta_at": None}
        with self._database.write() as connection:
            return _change(connection, CHANGE, claim, values)

    def begin(self, claim: Claim) -> None:
        """Start the stopwatch for a job; nothing is written."""
        self._began[_key(claim)] = self._elapsed(), self._clock()

    def loaded(self, model: str, load_seconds: float) -> None:
        """Record the time to load a model that no job was waiting for."""
        with self._database.write() as connection:
            self._speeds.observe(connection, model, Speed(load_seconds=load_seconds))

    def load_seconds(self, model: str) -> float | None:
        """Return the estimated time to load the model in seconds, None if it was never measured."""
        with self._database.read() as connection:
            return self._speeds.of(connection, model).load_seconds

    def progress(self, claim: Claim, fraction: float, stage: str) -> bool:
        """Report progress as a fraction, 0 to 1; False if the claim was lost and work on the job should stop.

        Reports of the same stage within ``PROGRESS_SECONDS`` are dropped, and return True.
        """
        now, key = self._elapsed(), _key(claim)
        at, before = self._reported.get(key, (float("-inf"), ""))
        if now - at < PROGRESS_SECONDS and stage == before:
            return True
        self._reported[key] = (now, stage)
        values = {"progress": min(1.0, max(0.0, fraction)), "stage": stage}
        # Early fractions are too small to extrapolate from.
        if fraction >= MIN_FRACTION_TO_EXTRAPOLATE:
            # A worker may report progress without having reported the start.
            began, _ = self._began.setdefault(key, (now, self._clock()))
            values["eta_at"] = self._clock() + (now - began) * max(0.0, 1 - fraction) / fraction
        with self._database.write() as connection:
            ours = _change(connection, CHANGE, claim, values)
        if not ours:
            # The worker stops, and will report no more.
            self._forget(claim)
        return ours

    def succeed(self, claim: Claim, result: JobResult, metadata: Mapping[str, Any]) -> Job | None:
        """Finish a job with its file, record its speed and return it; None if the claim was lost.

        The file becomes a track of the prompt log, unless the job exports a track that exists.
        """
        now, model = self._clock(), claim.job.generated_by
        values = _end(JobState.SUCCEEDED, now) | result_values(result) | {"progress": 1.0, "metadata": dict(metadata)}
        took = self._took(claim)
        with self._database.write() as connection:
            # In the same transaction as the end, and before it, because the end invalidates the claim.
            self._correct_times(connection, claim, now)
            row = connection.execute(SUCCEED, _where_claimed(claim) | values).first()
            if row is not None:
                began_at: float = row.running_at
                # An export belongs to its track and is none itself.
                if claim.job.options.for_track is None:
                    track = track_from_job(claim.job, result, metadata, (began_at, now))
                    connection.execute(INSERT_TRACK, track_row(track, now))
                # An export, such as MIDI, says nothing about the speed of generation.
                if result.is_sound and result.duration > 0:
                    seconds = now - began_at if took is None else took
                    speed = Speed(seconds_per_audio_second=seconds / result.duration)
                    self._speeds.observe(connection, model, speed)
        self._forget(claim)
        return None if row is None else replace(
            claim.job, state=JobState.SUCCEEDED, progress=1.0, stage="", eta_seconds=None, started_at=row.started_at,
            running_at=row.running_at, finished_at=now, result=result, metadata=dict(metadata),
        )  # fmt: skip

    def fail(self, claim: Claim, failure: Failure) -> bool:
        """Finish a job as failed; False if the claim was lost."""
        now = self._clock()
        values = _end(JobState.FAILED, now) | _failure_values(failure)
        with self._database.write() as connection:
            self._correct_times(connection, claim, now)
            ours = _change(connection, CHANGE, claim, values)
        self._forget(claim)
        return ours

    def requeue(self, claim: Claim, failure: Failure = CRASHED) -> bool:
        """Requeue a job whose runner crashed, or fail it with ``failure`` after ``MAX_ATTEMPTS``.

        Returns False if the claim was lost.
        """
        self._forget(claim)
        with self._database.write() as connection:
            spent = jobs.c.attempts >= MAX_ATTEMPTS
            return self._give_back(connection, IS_CLAIMED, spent, (_where_claimed(claim), _QUEUED_AGAIN), failure) > 0

    def release(self, claim: Claim) -> bool:
        """Requeue a job because this process shuts down; the attempt does not count. False if the claim was lost."""
        self._forget(claim)
        with self._database.write() as connection:
            return _change(connection, RELEASE, claim, _QUEUED_AGAIN)

    def held(self, worker: str) -> frozenset[str]:
        """Return the ids of the jobs that the worker holds; one that it runs and that is missing was canceled."""
        with self._database.read() as connection:
            return frozenset(connection.execute(HELD, {"the_worker": worker}).scalars())

    def recover(self) -> int:
        """Requeue the jobs of workers that are no longer registered; return how many there were.

        The attempt does not count, but a job fails after ``MAX_CLAIMS`` claims.
        """
        orphaned = IS_ACTIVE & (jobs.c.worker.is_(None) | jobs.c.worker.not_in(sa.select(workers.c.id)))
        uncounted = {**_QUEUED_AGAIN, "attempts": jobs.c.attempts - 1}
        with self._database.write() as connection:
            # Several servers may find the same worker dead at the same time.
            self._database.lock(connection, "recover")
            return self._give_back(connection, orphaned, jobs.c.claims >= MAX_CLAIMS, ({}, uncounted))

    def take_back(self, worker: str, job_ids: Collection[str]) -> int:
        """Requeue jobs that the worker holds but does not run; return how many. The attempt does not count."""
        lost = IS_ACTIVE & (jobs.c.worker == worker) & jobs.c.id.in_(list(job_ids))
        uncounted = {**_QUEUED_AGAIN, "attempts": jobs.c.attempts - 1}
        with self._database.write() as connection:
            return self._give_back(connection, lost, jobs.c.claims >= MAX_CLAIMS, ({}, uncounted))

    def _forget(self, claim: Claim) -> None:
        """Drop the state in memory of a claim that has ended."""
        self._reported.pop(_key(claim), None)
        self._began.pop(_key(claim), None)

    def _took(self, claim: Claim) -> float | None:
        """Return the seconds since generation started, None if it was never reported to start."""
        began = self._began.get(_key(claim))
        return None if began is None else self._elapsed() - began[0]

    def _correct_times(self, connection: sa.Connection, claim: Claim, now: float) -> None:
        """Shift the job's timestamps if the wall clock was set while it ran, so that its duration stays true."""
        took = self._took(claim)
        if took is None:
            return
        running_at = self._began[_key(claim)][1]
        if abs(now - running_at - took) <= SET_CLOCK_SECONDS:
            return
        loading = max(0.0, running_at - (claim.job.started_at or running_at))
        # The time to load is kept as it was measured.
        times = {"running_at": now - took, "started_at": now - took - loading}
        _change(connection, CHANGE, claim, times)

    def _give_back(
        self, connection: sa.Connection, which: sa.ColumnElement[bool], spent: sa.ColumnElement[bool],
        values: tuple[Mapping[str, Any], Mapping[str, Any]], failure: Failure = CRASHED,
    ) -> int:  # fmt: skip
        """Fail the jobs with no attempts left and requeue the others; return how many.

        ``values`` are the parameters of the condition ``which``, and the columns that requeueing sets.
        """
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
    """Return the failure as columns; PostgreSQL stores neither NUL characters nor lone surrogates."""
    message = failure.message.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return {"error_kind": failure.kind, "error_message": message}
