"""Remembering a job costs next to nothing beside making it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from databases import Databases
from machine_speed import slowness
from work import RESULT, asked

from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore

BUDGET_SECONDS = 0.003


def test_a_job_is_handed_in_claimed_and_finished_within_three_milliseconds_of_work(tmp_path: Path) -> None:
    spent = []
    databases = Databases(tmp_path, None)
    with databases.opened(databases.new_url()) as database:
        store, queue = JobStore(database, 10), JobQueue(database)
        for _ in range(100):
            started = time.process_time()
            store.submit(asked("a"))
            claim = queue.claim("w1")
            assert claim is not None
            assert queue.succeed(claim, RESULT, {"seed": 7})
            spent.append(time.process_time() - started)
    assert statistics.median(spent) <= BUDGET_SECONDS * slowness()
