from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from work import asked

from tunesmith.jobs.estimates import LOOK_SECONDS, QueuedJob, QueueEstimate, QueueEstimator, QueueSnapshot, Speed
from tunesmith.jobs.job import Job, JobState, new_job_id
from tunesmith.jobs.row_mapping import job_of, row_of

SPEEDS = {"composer": Speed(seconds_per_audio_second=0.1, load_seconds=3.0)}


class Jobs:
    """Jobs that wait, and how often they were looked at."""

    def __init__(self) -> None:
        self.now = 100.0
        self.jobs: list[Job] = []
        self.looks = 0
        self.loaded: set[str] = set()
        self.speeds = SPEEDS
        self.outlook = QueueEstimator(self.read, lambda: self.loaded, lambda: self.now, lambda: self.now)

    def add(self) -> Job:
        self.now += 0.001
        job_id = new_job_id(self.now)
        self.jobs.append(job_of(row_of(asked(), job_id, self.now), self.now))
        return self.jobs[-1]

    def read(self) -> QueueSnapshot:
        self.looks += 1
        return QueueSnapshot(
            [QueuedJob(job.id, job.model, "", 0, 0, job.audio_seconds) for job in self.jobs], [], self.speeds
        )

    def of(self, job: Job) -> QueueEstimate:
        return asyncio.run(self.outlook.estimate(job))


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def test_a_waiting_job_is_told_its_place_its_turn_and_its_end(jobs: Jobs) -> None:
    first, second = jobs.add(), jobs.add()
    assert jobs.of(first) == QueueEstimate(1, 3.0, 4.0)
    assert jobs.of(second) == QueueEstimate(2, 4.0, 5.0)


def test_a_loaded_model_has_nothing_to_load(jobs: Jobs) -> None:
    jobs.loaded = {"composer"}
    assert jobs.of(jobs.add()) == QueueEstimate(1, 0.0, 1.0)


def test_nobody_knows_how_long_a_model_takes_that_was_never_measured(jobs: Jobs) -> None:
    jobs.speeds = {}
    assert jobs.of(jobs.add()) == QueueEstimate(1, None, None)


def test_one_look_serves_all_for_a_moment(jobs: Jobs) -> None:
    many = [jobs.add() for _ in range(50)]

    async def act() -> list[QueueEstimate]:
        return await asyncio.gather(*(jobs.outlook.estimate(job) for job in many))

    assert [one.position for one in asyncio.run(act())] == list(range(1, 51))
    assert jobs.looks == 1
    jobs.now += LOOK_SECONDS + 0.1
    jobs.jobs.pop(0)
    assert jobs.of(many[1]).position == 1
    assert jobs.looks == 2


def test_a_job_that_came_after_the_last_look_has_a_place_too(jobs: Jobs) -> None:
    assert jobs.of(jobs.add()).position == 1
    assert jobs.of(jobs.add()).position == 2


def test_a_job_whose_model_is_loading_needs_that_and_its_own_time(jobs: Jobs) -> None:
    job = replace(jobs.add(), state=JobState.LOADING, started_at=jobs.now)
    jobs.now += 1
    assert jobs.of(job).eta_seconds == pytest.approx(3.0)
    jobs.now += 60
    assert jobs.of(job) == QueueEstimate(None, None, 0.0)


def test_a_running_job_is_as_far_as_it_says(jobs: Jobs) -> None:
    job = replace(jobs.add(), state=JobState.RUNNING, eta_seconds=2.5)
    assert jobs.of(job) == QueueEstimate(None, None, 2.5)
    assert jobs.looks == 0


def test_a_job_that_has_just_been_taken_has_no_place(jobs: Jobs) -> None:
    job = jobs.add()
    jobs.jobs.clear()
    assert jobs.of(job) == QueueEstimate()
