"""Retention: removal of old results and finished jobs, in bounded batches."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from tunesmith.jobs.job import JobState, new_job_id
from tunesmith.jobs.results import SECONDS_A_DAY, ResultFiles, Retention
from tunesmith.jobs.store import JobStore
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import jobs, turns

QUOTA_SECONDS = float(SECONDS_A_DAY)
"""How long every job is kept in seconds, because quotas count the jobs of up to a day."""

MAX_ROWS = 500
_FINAL = tuple(state.value for state in JobState if state.is_final)


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Limits for finished jobs: ``days`` since they ended, and ``count`` in all."""

    days: float
    count: int


def tidy_results(
    store: JobStore, results: ResultFiles, retention: Retention, clock: Clock = time.time, most: int | None = None
) -> tuple[str, ...]:
    """Remove results beyond their retention, at most ``most``; mark their jobs and return the digests removed."""
    # Taken first: a job that finishes during the scan may store the same digest again.
    started = clock()
    removed = results.prune(retention, store.result_uses(), most)
    store.forget_results(removed, finished_before=started)
    return removed


def prune_jobs(database: Database, limits: JobLimits, clock: Clock = time.time, most: int = MAX_ROWS) -> int:
    """Remove finished jobs that are too old, then the oldest beyond the count; at most ``most``. Return how many.

    Tracks stay. The turns of owners without jobs are removed too.
    """
    now = clock()
    old = now - limits.days * SECONDS_A_DAY
    ended = sa.func.coalesce(jobs.c.finished_at, jobs.c.created_at)
    with database.write() as connection:
        # Two servers that prune at once would both remove the excess.
        database.lock(connection, "prune")
        # The condition on ids is redundant, but lets the index bound the scan.
        removed = _remove(connection, (jobs.c.id < _first_id(old)) & (ended < old), most)
        finished = connection.execute(_COUNT_FINISHED).scalar_one()
        excess = min(most - removed, finished - limits.count)
        if excess > 0:
            # Quotas count the jobs of the last day, so those are kept even beyond the count.
            removed += _remove(connection, jobs.c.id < _first_id(now - QUOTA_SECONDS), excess)
        connection.execute(_REMOVE_TURNS, {"the_most": most})
    return removed


_COUNT_FINISHED = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.state.in_(_FINAL))
_idle = (
    sa.select(turns.c.owner)
    .where(~sa.exists().where(jobs.c.owner == turns.c.owner))
    # The newest turn stays, because the next one is numbered from it.
    .where(turns.c.turn < sa.select(sa.func.max(turns.c.turn)).scalar_subquery())
    .limit(sa.bindparam("the_most"))
)
_REMOVE_TURNS = sa.delete(turns).where(turns.c.owner.in_(_idle))


def _first_id(time: float) -> str:
    """Return an id that sorts before those of all jobs submitted from that time on."""
    return new_job_id(max(0.0, time), bytes)


def _remove(connection: sa.Connection, which: sa.ColumnElement[bool], most: int) -> int:
    oldest = sa.select(jobs.c.id).where(jobs.c.state.in_(_FINAL) & which).order_by(jobs.c.id).limit(most)
    return connection.execute(sa.delete(jobs).where(jobs.c.id.in_(oldest))).rowcount
