"""Rows that are no jobs: whatever a table holds, the other jobs are listed and made, and this one fails by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.job import JobState
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.worker_registry import WorkerRegistry
from tunesmith.library.database import Database

TEXT_OF_JSON = {
    "a request without a prompt": ("request", "{}"),
    "an empty prompt": ("request", '{"prompt": ""}'),
    "a field that there is no longer": ("request", '{"prompt": "x", "speed": 3}'),
    "a value beyond its limit": ("request", '{"prompt": "x", "duration": 1e9}'),
    "a text beyond its limit": ("request", '{"prompt": "x", "genre": "' + "x" * 100_000 + '"}'),
    "a list for a request": ("request", "[1]"),
    "null for a request": ("request", "null"),
    "a list for what the dialect wants back": ("extra", "[]"),
    "a number for the format": ("extra", '{"format": 3}'),
    "seconds beyond their limit": ("extra", '{"format": "wav", "keep_alive": 1e9}'),
    "text for the metadata": ("metadata", '"x"'),
}
DAMAGED_JSON = {
    "half a request": ("request", '{"prompt": "x'),
    "nothing": ("request", ""),
    "a request that nests too deeply": ("request", "[" * 100_000),
    "a number of 5000 digits": ("request", '{"prompt": "x", "seed": ' + "1" * 5000 + "}"),
}
NUMBERS = {
    "a time that never comes": ("created_at", 1e300),
    "an infinite end": ("eta_at", float("inf")),
}


def damage(database: Database, job_id: str, column: str, value: Any) -> None:
    """Write into a row what the program itself would not."""
    cast = "CAST(:value AS JSON)" if isinstance(value, str) and not database.is_sqlite else ":value"
    statement = f"UPDATE jobs SET {column} = {cast} WHERE id = :id"
    with database.write() as connection:
        connection.execute(sa.text(statement), {"value": value, "id": job_id})


def all_damages(database: Database) -> dict[str, tuple[str, Any]]:
    return {**TEXT_OF_JSON, **NUMBERS, **(DAMAGED_JSON if database.is_sqlite else {})}


def test_a_waiting_job_that_cannot_be_read_fails_and_the_next_is_made(database: Database, clock: FakeClock) -> None:
    store, queue = JobStore(database, 500, clock), JobQueue(database, clock)
    bad = [(store.submit(asked()).job.id, *what) for what in all_damages(database).values()]
    good = store.submit(asked()).job
    for job_id, column, value in bad:
        damage(database, job_id, column, value)
    assert claimed(queue).job.id == good.id
    assert queue.claim("w1") is None
    page = store.list()
    assert [job.state for job in page.jobs].count(JobState.FAILED) == len(bad)
    for job_id, *_ in bad:
        job = store.get(job_id)
        assert job.failure
        assert job.failure.kind == "UnreadableJob"
        assert job.failure.message.startswith("the stored job cannot be read: ")
        assert len(job.failure.message) < 500
        assert job.request.prompt
        json.dumps(job.request.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize("state", ["loading", "running"])
@pytest.mark.parametrize("worker", [None, "", "one that is gone"])
def test_jobs_in_progress_of_nobody_are_taken_back_whatever_they_hold(
    database: Database, clock: FakeClock, state: str, worker: str | None
) -> None:
    store, queue = JobStore(database, 500, clock), JobQueue(database, clock)
    good, bad = (store.submit(asked()).job.id for _ in range(2))
    for job_id in (good, bad):
        with database.write() as connection:
            values = {"state": state, "worker": worker, "id": job_id}
            connection.execute(sa.text("UPDATE jobs SET state = :state, worker = :worker WHERE id = :id"), values)
    damage(database, bad, "request", "{}")
    WorkerRegistry(database, clock).remove_dead()
    assert queue.recover() == 2
    assert claimed(queue).job.id == good
    assert queue.claim("w1") is None
    assert store.get(bad).state is JobState.FAILED


def test_the_music_of_a_job_whose_request_cannot_be_read_any_more_is_still_there(
    database: Database, clock: FakeClock
) -> None:
    store, queue = JobStore(database, 500, clock), JobQueue(database, clock)
    job_id = store.submit(asked()).job.id
    queue.succeed(claimed(queue), RESULT, {"title": "kept"})
    damage(database, job_id, "request", '{"prompt": "calm piano", "seed": 7, "tempo_bpm": 1e9}')
    job = store.get(job_id)
    assert (job.state, job.result, job.failure) == (JobState.SUCCEEDED, RESULT, None)
    assert (job.request.prompt, job.request.seed, job.metadata) == ("calm piano", 7, {"title": "kept"})
    damage(database, job_id, "result", '{"digest": 3}')
    assert store.get(job_id).state is JobState.FAILED
