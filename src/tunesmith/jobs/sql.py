"""The SQL statements that run for every job; they are built once, because building takes longer than running.

Parameters of the conditions begin with ``the_``; the names of the other parameters are the columns that an update sets.
"""

from __future__ import annotations

import sqlalchemy as sa

from tunesmith.jobs.job import JobState
from tunesmith.library.database import Database
from tunesmith.library.schema import ACTIVE_STATES, jobs, tracks, turns

QUEUED = JobState.QUEUED.value
UNFINISHED = (QUEUED, *ACTIVE_STATES)

_the_job = jobs.c.id == sa.bindparam("the_id")
_waits = jobs.c.state == QUEUED
# Not IN, whose list SQLAlchemy writes into the statement anew for every job.
_is_active = sa.or_(*(jobs.c.state == state for state in ACTIVE_STATES))
_is_claimed = (
    _the_job & _is_active & (jobs.c.worker == sa.bindparam("the_worker")) & (jobs.c.claims == sa.bindparam("the_claim"))
)

INSERT_JOB = sa.insert(jobs)
INSERT_TRACK = sa.insert(tracks)
JOB_BY_ID = sa.select(jobs).where(_the_job)
JOBS_BY_ID = sa.select(jobs).where(jobs.c.id.in_(sa.bindparam("the_ids", expanding=True)))
JOB_BY_KEY = sa.select(jobs).where(
    (jobs.c.owner == sa.bindparam("the_owner")) & (jobs.c.idempotency_key == sa.bindparam("the_key"))
)
ANY_WAITS = sa.select(sa.exists().where(_waits))
COUNT_WAITING = sa.select(sa.func.count()).select_from(jobs).where(_waits)
COUNT_BY_OWNER = (
    sa.select(sa.func.count())
    .select_from(jobs)
    .where(
        (jobs.c.owner == sa.bindparam("the_owner"))
        & (jobs.c.id >= sa.bindparam("the_first"))
        & (jobs.c.id < sa.bindparam("the_end"))
    )
)
CANCEL = sa.update(jobs).where(_the_job & jobs.c.state.in_(UNFINISHED))

_next = (
    sa.select(jobs.c.id)
    .join_from(jobs, turns, turns.c.owner == jobs.c.owner, isouter=True)
    .order_by(jobs.c.priority.desc(), sa.func.coalesce(turns.c.turn, 0), jobs.c.id)
    .limit(1)
    # Concurrent workers skip rows that another is claiming. SQLite has a single writer and omits the clause.
    .with_for_update(of=jobs, skip_locked=True)
)
NEXT_JOB = _next.where(_waits)
NEXT_JOB_OF_MODELS = _next.where(_waits & jobs.c.generated_by.in_(sa.bindparam("the_models", expanding=True)))
CLAIM = (
    sa.update(jobs).where(_the_job).values(attempts=jobs.c.attempts + 1, claims=jobs.c.claims + 1).returning(*jobs.c)
)
NEWEST_TURN = sa.select(sa.func.coalesce(sa.func.max(turns.c.turn), 0) + 1).scalar_subquery()


def take_turn(database: Database) -> sa.Executable:
    """Return the upsert that gives an ``owner`` the newest turn, so that all others come first."""
    insert = database.insert(turns).values(turn=NEWEST_TURN)
    return insert.on_conflict_do_update(index_elements=["owner"], set_={"turn": insert.excluded.turn})


CHANGE = sa.update(jobs).where(_is_claimed)
# A job may finish before any report that it runs was written.
SUCCEED = CHANGE.values(running_at=sa.func.coalesce(jobs.c.running_at, jobs.c.started_at)).returning(
    jobs.c.started_at, jobs.c.running_at
)
# Claiming has counted an attempt, and a shutdown is not the job's fault.
RELEASE = CHANGE.values(attempts=jobs.c.attempts - 1)
HELD = sa.select(jobs.c.id).where(_is_active & (jobs.c.worker == sa.bindparam("the_worker")))
IS_ACTIVE, IS_CLAIMED = _is_active, _is_claimed
