"""The clock is set while jobs run: nothing takes a negative time, nobody is taken for dead, and estimates heal."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import psutil
import pytest
import sqlalchemy as sa
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.estimates import SpeedEstimates
from tunesmith.jobs.job import Failure
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore, Quotas
from tunesmith.jobs.worker_registry import DEAD_SECONDS, HEARTBEAT_SECONDS, ProcessIdentity, WorkerRegistry, is_gone
from tunesmith.library.database import Database
from tunesmith.library.schema import speeds
from tunesmith.library.tokens import RateLimit
from tunesmith.library.tracks import Tracks

YEAR = 365 * 86_400.0
JUMPS = pytest.mark.parametrize("jump", [-YEAR, -4_599_953.0, -3600.0, 3600.0, YEAR])
HERE, THERE = ProcessIdentity("here", 1, 0.0), ProcessIdentity("there", 2, 0.0)


@dataclass
class Clocks:
    """A clock that can be set, and one that cannot."""

    wall: FakeClock = field(default_factory=FakeClock)
    elapsed: FakeClock = field(default_factory=lambda: FakeClock(100.0))

    def pass_(self, seconds: float) -> None:
        self.wall.pass_(seconds)
        self.elapsed.pass_(seconds)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@JUMPS
@pytest.mark.parametrize("moment", ["waiting", "loading", "running"])
def test_no_stage_of_a_job_takes_a_negative_time_and_its_speed_is_what_it_took(
    database: Database, clocks: Clocks, jump: float, moment: str
) -> None:
    store, queue = JobStore(database, 500, clocks.wall), JobQueue(database, clocks.wall, clocks.elapsed)

    def go_on(now: str, seconds: float) -> None:
        clocks.pass_(seconds)
        if moment == now:
            clocks.wall.pass_(jump)

    job_id = store.submit(asked()).job.id
    go_on("waiting", 3)
    claim = claimed(queue)
    go_on("loading", 2)
    queue.running(claim, 2.0)
    go_on("running", 5)
    queue.progress(claim, 0.5, "playing")
    halfway = store.get(job_id)
    assert halfway.eta_seconds == pytest.approx(5)
    clocks.pass_(5)
    assert queue.succeed(claim, RESULT, {})
    job = store.get(job_id)
    assert job.generate_seconds == pytest.approx(10)
    for seconds in (job.queued_seconds, job.load_seconds):
        assert seconds is not None
        assert seconds >= 0
    if moment == "running":
        assert job.load_seconds == pytest.approx(2)
    (track,) = Tracks(database).every()
    assert track.generation.job_id == job_id
    assert track.generation.timings["generate"] == pytest.approx(10)
    with database.read() as connection:
        assert SpeedEstimates(database).of(connection, "composer").seconds_per_audio_second == pytest.approx(1)


@JUMPS
def test_a_job_that_fails_took_as_long_as_it_did(database: Database, clocks: Clocks, jump: float) -> None:
    store, queue = JobStore(database, 500, clocks.wall), JobQueue(database, clocks.wall, clocks.elapsed)
    job_id = store.submit(asked()).job.id
    claim = claimed(queue)
    queue.running(claim)
    clocks.pass_(4)
    clocks.wall.pass_(jump)
    queue.fail(claim, Failure("InternalError", "x"))
    assert store.get(job_id).generate_seconds == pytest.approx(4)


def test_progress_is_written_after_the_clock_was_set_back(database: Database, clocks: Clocks) -> None:
    store, queue = JobStore(database, 500, clocks.wall), JobQueue(database, clocks.wall, clocks.elapsed)
    job_id = store.submit(asked()).job.id
    claim = claimed(queue)
    queue.running(claim)
    queue.progress(claim, 0.1, "playing")
    clocks.pass_(1)
    clocks.wall.pass_(-YEAR)
    queue.progress(claim, 0.4, "playing")
    assert store.get(job_id).progress == 0.4


@pytest.mark.parametrize("stored", [-4_599_953.0, math.inf, 1e300, -0.5])
def test_a_stored_speed_that_cannot_be_is_not_told_and_heals_with_the_next_job(
    database: Database, clocks: Clocks, stored: float
) -> None:
    store, queue = JobStore(database, 500, clocks.wall), JobQueue(database, clocks.wall, clocks.elapsed)
    values = {"model": "composer", "seconds_per_audio_second": stored, "load_seconds": stored}
    with database.write() as connection:
        connection.execute(sa.insert(speeds).values(values))
    assert queue.load_seconds("composer") is None
    store.submit(asked())
    waiting = store.submit(asked()).job
    assert store.queue().places()[waiting.id].wait_seconds is None
    claim = claimed(queue)
    queue.running(claim, 2.0)
    clocks.pass_(20)
    queue.succeed(claim, RESULT, {})
    assert queue.load_seconds("composer") == pytest.approx(2)
    assert store.queue().speeds["composer"].seconds_per_audio_second == pytest.approx(2)


@JUMPS
def test_a_worker_that_shows_that_it_lives_is_not_taken_for_dead(
    database: Database, clocks: Clocks, jump: float
) -> None:
    workers = WorkerRegistry(database, clocks.wall, lambda _: False, clocks.elapsed)
    first, second = workers.join(HERE), workers.join(THERE)
    for _ in range(20):
        clocks.pass_(HEARTBEAT_SECONDS)
        workers.heartbeat(first, HERE)
        workers.heartbeat(second, THERE)
        assert workers.remove_dead() == 0
        if _ == 5:
            clocks.wall.pass_(jump)
            assert workers.remove_dead() == 0
    assert WorkerRegistry(database, lambda: clocks.wall() + jump, lambda _: False, clocks.elapsed).remove_dead() == 0


@JUMPS
def test_a_worker_that_is_silent_is_dead_in_time_wherever_the_clock_stands(
    database: Database, clocks: Clocks, jump: float
) -> None:
    workers = WorkerRegistry(database, clocks.wall, lambda _: False, clocks.elapsed)
    workers.join(HERE)
    workers.remove_dead()
    clocks.wall.pass_(jump)
    clocks.pass_(DEAD_SECONDS + 1)
    assert workers.remove_dead() == 1


def test_a_process_is_the_same_after_the_clock_was_set() -> None:
    own = psutil.Process()
    identity = ProcessIdentity.own()
    before = ProcessIdentity(identity.host, own.pid, identity.started_at - 3600)  # as it was told before
    assert is_gone(before)
    assert not is_gone(before, clock_shift=3600)
    assert not is_gone(identity, clock_shift=3600)


def test_jobs_of_a_time_that_is_not_yet_do_not_use_up_a_quota(database: Database, clocks: Clocks) -> None:
    store = JobStore(database, 500, clocks.wall, Quotas(RateLimit(2, "day")))
    clocks.wall.pass_(YEAR)
    store.submit(asked("192.0.2.1"))
    clocks.wall.pass_(-YEAR)
    left = store.allowance("192.0.2.1")
    assert left is not None
    assert left.remaining == 2
