"""Results go with their time, and their jobs say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.job import Job
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles, Retention
from tunesmith.jobs.retention import tidy_results
from tunesmith.jobs.store import JobStore
from tunesmith.library.database import Database

DAY = 86_400.0
MONTH = Retention(days=30, gigabytes=1)


class Shop:
    """All that makes a job and its file."""

    def __init__(self, database: Database, folder: Path, clock: FakeClock) -> None:
        self.store, self.queue = JobStore(database, 10, clock), JobQueue(database, clock)
        self.results, self.clock = ResultFiles(folder, clock), clock

    def make(self, content: bytes) -> Job:
        job = self.store.submit(asked()).job
        stored = self.results.add(content)
        result = replace(RESULT, digest=stored.digest, bytes=stored.bytes)
        assert self.queue.succeed(claimed(self.queue), result, {})
        return self.store.get(job.id)

    def tidy(self, retention: Retention = MONTH) -> tuple[str, ...]:
        return tidy_results(self.store, self.results, retention, self.clock)


@pytest.fixture
def shop(database: Database, clock: FakeClock, tmp_path: Path) -> Shop:
    return Shop(database, tmp_path / "results", clock)


def test_the_jobs_of_removed_files_say_so(shop: Shop) -> None:
    old = shop.make(b"old")
    shop.clock.pass_(29 * DAY)
    young = shop.make(b"young")
    shop.clock.pass_(2 * DAY)
    assert old.result is not None
    assert shop.tidy() == (old.result.digest,)
    assert (shop.store.get(old.id).data_removed, shop.store.get(young.id).data_removed) == (True, False)
    assert shop.tidy() == ()


def test_a_young_job_keeps_the_file_of_an_old_one(shop: Shop) -> None:
    old = shop.make(b"same")
    shop.clock.pass_(29 * DAY)
    shop.make(b"same")
    shop.clock.pass_(29 * DAY)
    assert shop.tidy() == ()
    assert not shop.store.get(old.id).data_removed


def test_a_file_made_again_while_it_was_removed_is_not_forgotten(shop: Shop) -> None:
    old = shop.make(b"same")
    shop.clock.pass_(31 * DAY)
    assert old.result is not None
    started = shop.clock()
    removed = shop.results.prune(MONTH, shop.store.result_uses())
    again = shop.make(b"same")
    shop.store.forget_results(removed, finished_before=started)
    assert (shop.store.get(old.id).data_removed, shop.store.get(again.id).data_removed) == (True, False)
    assert shop.results.find(old.result.digest) is not None


def test_not_more_results_go_at_once_than_asked_for(shop: Shop) -> None:
    for content in (b"one", b"two", b"three"):
        shop.make(content)
    shop.clock.pass_(31 * DAY)
    assert [len(tidy_results(shop.store, shop.results, MONTH, shop.clock, most=2)) for _ in range(3)] == [2, 1, 0]
    assert all(job.data_removed for job in shop.store.list().jobs)
