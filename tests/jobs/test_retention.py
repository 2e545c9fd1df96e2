"""Results go with their time, and their jobs say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles, Retention
from tunesmith.jobs.retention import JobLimits, prune_jobs, tidy_results
from tunesmith.jobs.store import JobStore, Quotas
from tunesmith.library.database import Database
from tunesmith.library.schema import turns
from tunesmith.library.tokens import RateLimit
from tunesmith.library.tracks import Tracks

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


class Archive:
    """Jobs of many ages, without files."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.store = JobStore(database, 1_000, clock, Quotas(RateLimit(3, "day")))
        self.queue, self.clock, self.database = JobQueue(database, clock), clock, database

    def finished(self, owner: str | None = None) -> str:
        job = self.store.submit(asked(owner)).job
        assert self.queue.succeed(claimed(self.queue), RESULT, {})
        return job.id

    def prune(self, days: float = 90, count: int = 1_000, most: int = 500) -> int:
        return prune_jobs(self.database, JobLimits(days, count), self.clock, most)

    def ids(self) -> set[str]:
        return {job.id for job in self.store.list().jobs}


@pytest.fixture
def archive(database: Database, clock: FakeClock) -> Archive:
    return Archive(database, clock)


def test_finished_jobs_go_when_their_days_are_over_and_their_tracks_stay(archive: Archive) -> None:
    old, waiting = archive.finished(), archive.store.submit(asked()).job.id
    late = archive.store.submit(asked()).job.id
    archive.clock.pass_(50 * DAY)
    archive.store.cancel(late)  # it counts from its end
    archive.clock.pass_(41 * DAY)
    assert archive.prune() == 1
    assert archive.ids() == {waiting, late}
    assert [track.generation.job_id for track in Tracks(archive.database).every()] == [old]
    archive.clock.pass_(50 * DAY)
    assert archive.prune() == 1
    assert archive.ids() == {waiting}
    assert archive.store.get(waiting).state is JobState.QUEUED


def test_the_oldest_go_where_there_are_too_many_but_none_within_a_day(archive: Archive) -> None:
    made = []
    for _ in range(6):
        made.append(archive.finished())
        archive.clock.pass_(DAY / 4)
    assert archive.prune(count=1) == 2
    assert archive.ids() == set(made[2:])
    archive.clock.pass_(DAY)
    assert archive.prune(count=3) == 1
    assert archive.prune(count=3) == 0
    assert archive.ids() == set(made[3:])


def test_not_more_jobs_go_at_once_than_asked_for(archive: Archive) -> None:
    for _ in range(5):
        archive.finished()
        archive.clock.pass_(1)
    archive.clock.pass_(91 * DAY)
    assert [archive.prune(most=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_used_up_quota_stays_used_up(archive: Archive) -> None:
    archive.clock.now = archive.clock.now // DAY * DAY
    for _ in range(3):
        archive.finished("192.0.2.1")
    archive.clock.pass_(DAY - 1)
    archive.prune(days=1, count=1)
    left = archive.store.allowance("192.0.2.1")
    assert left is not None
    assert left.remaining == 0


def test_the_turns_of_owners_without_jobs_go_too(archive: Archive) -> None:
    for owner in "abc":
        archive.finished(owner)
        archive.clock.pass_(1)
    archive.clock.pass_(91 * DAY)
    assert archive.prune() == 3
    with archive.database.read() as connection:
        assert connection.execute(sa.select(turns.c.owner)).scalars().all() == ["c"]
