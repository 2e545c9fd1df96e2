from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from work import asked

from tunesmith.errors import DatabaseError, DatabaseOutOfReach, JobNotFound, ServerStopping
from tunesmith.jobs.events import JobEvents, JobSubscriptions
from tunesmith.jobs.job import Job, JobState, new_job_id
from tunesmith.jobs.row_mapping import job_of, row_of

FOREVER = float("inf")
PATIENCE_SECONDS = 20


class Jobs:
    """Jobs in memory; ``reads`` are the ids of each read, ``error`` is raised by the next."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.reads: list[frozenset[str]] = []
        self.error: Exception | None = None
        self.changes = JobEvents()
        self.following = JobSubscriptions(self.read, self.changes)

    def add(self) -> str:
        job_id = new_job_id(1.0)
        self.jobs[job_id] = job_of(row_of(asked(), job_id, 1.0), 1.0)
        return job_id

    def change(self, job_id: str, state: JobState = JobState.RUNNING, progress: float = 0.0) -> None:
        self.jobs[job_id] = replace(self.jobs[job_id], state=state, progress=progress)
        self.changes.publish(job_id)

    def read(self, job_ids: Collection[str]) -> Mapping[str, Job]:
        self.reads.append(frozenset(job_ids))
        if self.error:
            raise self.error
        return {job_id: self.jobs[job_id] for job_id in job_ids if job_id in self.jobs}

    async def follow(self, job_id: str) -> list[tuple[JobState, float]]:
        """Follow a job to its end; returns all that was seen."""
        seen = []
        with self.following.feed(job_id) as feed:
            job = await feed.after(None, FOREVER)
            while job is not None:
                seen.append((job.state, job.progress))
                job = None if job.state.is_final else await feed.after(job, FOREVER)
        return seen


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


async def until(count: int, jobs: Jobs) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(jobs.reads) < count:
            await asyncio.sleep(0)


def test_an_end_that_is_told_needs_no_reading_and_stays(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        follower = asyncio.create_task(jobs.follow(job_id))
        await until(1, jobs)
        jobs.changes.publish(job_id)  # a read of what will be old
        jobs.changes.publish(job_id, replace(jobs.jobs[job_id], state=JobState.SUCCEEDED))
        assert (await follower)[-1][0] is JobState.SUCCEEDED

    asyncio.run(act())


def test_a_job_that_is_known_is_read_when_it_has_changed(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        known = jobs.jobs[job_id]
        with jobs.following.feed(job_id, known) as feed:
            assert await feed.after(None, 0.0) is known
            assert jobs.reads == []
            jobs.change(job_id)
            changed = await feed.after(known, FOREVER)
            assert changed
            assert changed.state is JobState.RUNNING

    asyncio.run(act())


def test_a_change_is_read_once_however_many_follow(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        followers = [asyncio.create_task(jobs.follow(job_id)) for _ in range(200)]
        await until(1, jobs)
        for number, state in enumerate((JobState.LOADING, JobState.SUCCEEDED)):
            jobs.change(job_id, state)
            await until(2 + number, jobs)
        seen = await asyncio.gather(*followers)
        assert len(jobs.reads) == 3
        assert {one[-1] for one in seen} == {(JobState.SUCCEEDED, 0.0)}

    asyncio.run(act())


def test_jobs_that_change_together_are_read_together(jobs: Jobs) -> None:
    async def act() -> None:
        ids = [jobs.add() for _ in range(5)]
        followers = [asyncio.create_task(jobs.follow(job_id)) for job_id in ids]
        await until(1, jobs)
        for job_id in ids:
            jobs.change(job_id, JobState.CANCELED)
        await asyncio.gather(*followers)
        assert jobs.reads == [frozenset(ids)] * 2

    asyncio.run(act())


def test_who_comes_later_sees_the_job_as_it_is(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        first = asyncio.create_task(jobs.follow(job_id))
        await until(1, jobs)
        second = asyncio.create_task(jobs.follow(job_id))
        await asyncio.sleep(0)
        jobs.change(job_id, JobState.FAILED)
        assert (await second)[0] == (JobState.QUEUED, 0.0)
        assert (await first)[-1] == (JobState.FAILED, 0.0)

    asyncio.run(act())


def test_what_another_server_changed_is_seen_without_being_told(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        follower = asyncio.create_task(jobs.follow(job_id))
        await until(1, jobs)
        jobs.jobs[job_id] = replace(jobs.jobs[job_id], state=JobState.SUCCEEDED)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await follower)[-1] == (JobState.SUCCEEDED, 0.0)

    asyncio.run(act())


def test_nothing_new_wakes_nobody_and_a_follower_may_stop_waiting(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        with jobs.following.feed(job_id) as feed:
            seen = await feed.after(None, FOREVER)
            jobs.changes.publish(job_id)
            assert await feed.after(seen, 0.05) is None

    asyncio.run(act())


def test_a_job_that_is_not_there_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(JobNotFound):
        asyncio.run(jobs.follow(new_job_id(1.0)))


def test_a_database_that_is_away_for_a_while_is_sat_out(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.jobs.events.RETRY_SECONDS", 0.0)

    async def act() -> None:
        job_id = jobs.add()
        jobs.error = DatabaseOutOfReach("postgresql://x", "no answer")
        follower = asyncio.create_task(jobs.follow(job_id))
        await until(3, jobs)
        assert not follower.done()
        jobs.error = None
        jobs.change(job_id, JobState.SUCCEEDED, 1.0)
        assert (await follower)[-1] == (JobState.SUCCEEDED, 1.0)

    asyncio.run(act())


def test_an_error_reaches_all_followers_and_the_next_can_follow_again(jobs: Jobs) -> None:
    async def act() -> None:
        ids = [jobs.add(), jobs.add()]
        jobs.error = DatabaseError("jobs.db", "is locked")
        ends = await asyncio.gather(*(jobs.follow(job_id) for job_id in ids), return_exceptions=True)
        assert [type(end) for end in ends] == [DatabaseError] * 2
        jobs.error = None
        jobs.change(ids[0], JobState.SUCCEEDED)
        assert await jobs.follow(ids[0]) == [(JobState.SUCCEEDED, 0.0)]

    asyncio.run(act())


def test_nothing_is_left_when_nobody_follows(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        follower = asyncio.create_task(jobs.follow(job_id))
        await until(1, jobs)
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        jobs.change(job_id)
        await asyncio.sleep(0)
        assert len(jobs.reads) == 1

    asyncio.run(act())


def test_all_who_follow_are_let_go_at_the_end_and_so_are_those_who_still_come(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        followers = [asyncio.create_task(jobs.follow(job_id)) for _ in range(2)]
        await until(1, jobs)
        jobs.following.end()
        for follower in (*followers, asyncio.create_task(jobs.follow(job_id))):
            with pytest.raises(ServerStopping):
                await follower

    asyncio.run(act())


def test_who_waits_for_the_end_alone_is_not_read_for_before_it_and_who_joins_sees_the_job_as_it_is(jobs: Jobs) -> None:
    async def act() -> None:
        job_id = jobs.add()
        with jobs.following.feed(job_id, jobs.jobs[job_id], only_end=True) as waiting:
            jobs.jobs[job_id] = replace(jobs.jobs[job_id], state=JobState.RUNNING)
            jobs.changes.publish_progress(job_id)
            assert await waiting.after(waiting.job, 0.02) is None
            assert jobs.reads == []
            with jobs.following.feed(job_id) as watching:
                seen = await watching.after(None, FOREVER)
                while seen is not None and seen.state is not JobState.RUNNING:
                    seen = await watching.after(seen, PATIENCE_SECONDS)
                assert seen is not None
            jobs.change(job_id, JobState.FAILED)
            ended = await waiting.after(waiting.job, FOREVER)
            assert ended is not None
            assert ended.state is JobState.FAILED

    asyncio.run(act())
