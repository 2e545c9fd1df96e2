"""Claims, reports and recovery: every job is worked on by one worker at a time and finished once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.job import Failure, JobState
from tunesmith.jobs.queue import MAX_CLAIMS, JobQueue
from tunesmith.jobs.store import JobStore, WorkerSlot
from tunesmith.jobs.worker_registry import ProcessIdentity, WorkerRegistry
from tunesmith.library.database import Database
from tunesmith.library.tracks import TrackFile, Tracks
from tunesmith.request import GenerationRequest

HERE = ProcessIdentity("here", 1, 0.0)


@pytest.fixture
def store(database: Database, clock: FakeClock) -> JobStore:
    return JobStore(database, 500, clock)


@pytest.fixture
def queue(database: Database, clock: FakeClock) -> JobQueue:
    return JobQueue(database, clock, clock)


@pytest.fixture
def workers(database: Database, clock: FakeClock) -> WorkerRegistry:
    return WorkerRegistry(database, clock, lambda process: process.process_id == 666, clock)


def owners(queue: JobQueue, count: int) -> list[str | None]:
    return [claimed(queue).job.owner for _ in range(count)]


def test_an_empty_queue_gives_nothing(queue: JobQueue) -> None:
    assert queue.claim("w1") is None
    assert queue.waiting_models() == {}


def test_one_owner_s_oldest_job_is_first(store: JobStore, queue: JobQueue, clock: FakeClock) -> None:
    made = []
    for _ in range(5):
        made.append(store.submit(asked("a")).job.id)
        clock.pass_(0.01)
    assert [claimed(queue).job.id for _ in made] == made


def test_owners_take_turns(store: JobStore, queue: JobQueue, clock: FakeClock) -> None:
    for owner in "aaaabbc":
        store.submit(asked(owner))
        clock.pass_(0.01)
    assert owners(queue, 3) == ["a", "b", "c"]
    store.submit(asked("c"))
    assert owners(queue, 5) == ["a", "b", "c", "a", "a"]


def test_a_higher_priority_goes_before_all_turns(store: JobStore, queue: JobQueue, clock: FakeClock) -> None:
    for owner, priority in (("a", 0), ("b", 0), ("a", 5), ("a", 5), ("b", -1)):
        store.submit(asked(owner, priority=priority))
        clock.pass_(0.01)
    order = [(claim.job.owner, claim.job.priority) for claim in (claimed(queue) for _ in range(5))]
    assert order == [("a", 5), ("a", 5), ("b", 0), ("a", 0), ("b", -1)]


def test_a_worker_takes_only_what_its_models_can_make(store: JobStore, queue: JobQueue) -> None:
    store.submit(asked(model="musicgen-small", generated_by="composer"))
    large = store.submit(asked(model="musicgen-large")).job
    assert queue.waiting_models() == {"composer": 1, "musicgen-large": 1}
    assert queue.claim("w1", ["musicgen-small"]) is None
    assert queue.claim("w1", []) is None
    claim = queue.claim("w1", ["musicgen-large", "other"])
    assert claim is not None
    assert claim.job.id == large.id


def test_claims_at_once_never_share_a_job(store: JobStore, queue: JobQueue) -> None:
    made = {store.submit(asked(f"o{number % 7}")).job.id for number in range(60)}
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda number: queue.claim(f"w{number % 8}"), range(80)))
    got = Counter(claim.job.id for claim in claims if claim)
    assert set(got) == made
    assert set(got.values()) == {1}


def test_a_claim_says_whether_it_was_the_last(store: JobStore, queue: JobQueue) -> None:
    for _ in range(3):
        store.submit(asked())
    assert [claimed(queue).is_last for _ in range(3)] == [False, False, True]


def test_a_job_claimed_as_it_is_submitted_is_as_one_that_was_claimed_later(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    store.submit(asked("a"))
    later = claimed(queue)
    submitted = store.submit(asked("a"), WorkerSlot("w1"))
    assert submitted.job.state is JobState.QUEUED
    at_once = submitted.claim
    assert at_once is not None
    assert at_once.job == store.get(submitted.job.id)
    assert replace(at_once.job, id=later.job.id) == later.job
    assert (at_once.worker, at_once.number, at_once.is_last) == (later.worker, later.number, later.is_last)
    clock.pass_(1)
    assert queue.running(at_once)
    ended = queue.succeed(at_once, RESULT, {})
    assert ended == store.get(submitted.job.id)
    assert ended is not None
    assert ended.state is JobState.SUCCEEDED


def test_a_job_whose_model_is_loaded_runs_as_soon_as_it_is_submitted(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    first = store.submit(asked("a"), WorkerSlot("w1")).claim
    assert first is not None
    assert queue.running(first)
    clock.pass_(3)
    assert queue.succeed(first, RESULT, {}) is not None
    at_once = store.submit(asked("a"), WorkerSlot("w1", is_loaded=True)).claim
    assert at_once is not None
    assert at_once.job == store.get(at_once.job.id)
    assert (at_once.job.state, at_once.job.stage) == (JobState.RUNNING, "")
    later = store.submit(asked("a"), WorkerSlot("w1")).claim
    assert later is not None
    assert queue.running(later)
    running = store.get(later.job.id)
    assert running.eta_seconds is not None
    assert replace(running, id=at_once.job.id) == at_once.job
    assert queue.loading(at_once)  # its runner ended meanwhile
    assert queue.running(at_once)
    assert store.get(at_once.job.id) == at_once.job


def test_nobody_is_passed_by_a_job_that_is_claimed_as_it_is_submitted(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    assert store.submit(asked("a"), WorkerSlot("w1")).claim is not None
    for owner in "ab":
        store.submit(asked(owner))
        clock.pass_(0.01)
    assert store.submit(asked("c"), WorkerSlot("w1")).claim is None  # others wait
    assert owners(queue, 3) == ["b", "c", "a"]  # a had its turn


def test_a_job_s_life_is_timed(store: JobStore, queue: JobQueue, clock: FakeClock) -> None:
    job_id = store.submit(asked()).job.id
    clock.pass_(3)
    claim = claimed(queue)
    assert (store.get(job_id).state, claim.job.worker, claim.job.attempts) == (JobState.LOADING, "w1", 1)
    clock.pass_(2)
    assert queue.running(claim, load_seconds=2.0)
    assert store.get(job_id).state is JobState.RUNNING
    clock.pass_(5)
    assert queue.progress(claim, 0.5, "playing")
    halfway = store.get(job_id)
    assert (halfway.progress, halfway.stage) == (0.5, "playing")
    assert halfway.eta_seconds == pytest.approx(5, abs=1e-3)
    clock.pass_(4)
    assert store.get(job_id).eta_seconds == pytest.approx(1, abs=1e-3)
    assert queue.succeed(claim, RESULT, {"seed": 7})
    done = store.get(job_id)
    assert (done.queued_seconds, done.load_seconds, done.generate_seconds) == (3, 2, 9)
    assert (done.state, done.progress, done.result, done.metadata) == (JobState.SUCCEEDED, 1, RESULT, {"seed": 7})
    assert (done.stage, done.eta_seconds) == ("", None)


def test_a_finished_job_is_one_track_with_its_timings(
    database: Database, store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    job_id = store.submit(asked("ann")).job.id
    clock.pass_(2)
    claim = claimed(queue)
    clock.pass_(3)
    queue.running(claim)
    clock.pass_(4)
    assert queue.succeed(claim, RESULT, {"licence": "free"})
    assert not queue.succeed(claim, RESULT, {})
    (track,) = Tracks(database).page().tracks
    generation = track.generation
    assert (generation.job_id, generation.owner, generation.metadata["licence"]) == (job_id, "ann", "free")
    assert generation.timings == {"queued": 2, "load": 3, "generate": 4, "total": 9}
    assert track.generation.file == TrackFile(None, RESULT.digest, RESULT.format, RESULT.bytes)
    assert GenerationRequest.checked(**track.generation.request) == claim.job.request


def test_a_failure_keeps_its_reason(store: JobStore, queue: JobQueue) -> None:
    job_id = store.submit(asked()).job.id
    assert queue.fail(claimed(queue), Failure("OutOfResources", "no memory \0 \ud800 left"))
    job = store.get(job_id)
    assert (job.state, job.result, job.load_seconds) == (JobState.FAILED, None, None)
    assert job.failure == Failure("OutOfResources", "no memory \ufffd ? left")


def test_progress_is_written_four_times_a_second_and_at_each_stage(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    job_id = store.submit(asked()).job.id
    claim = claimed(queue)
    seen = []
    for step in range(9):
        assert queue.progress(claim, step / 10, "mixing" if step == 8 else "playing")
        seen.append(store.get(job_id).progress)
        clock.pass_(0.125)
    assert seen == [0, 0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8]


def test_a_dead_runner_s_job_is_tried_once_more(store: JobStore, queue: JobQueue) -> None:
    job_id = store.submit(asked()).job.id
    first = claimed(queue)
    queue.running(first)
    assert queue.requeue(first)
    again = store.get(job_id)
    assert (again.state, again.attempts, again.worker, again.started_at) == (JobState.QUEUED, 1, None, None)
    second = claimed(queue)
    assert not queue.succeed(first, RESULT, {})
    assert queue.requeue(second)
    failed = store.get(job_id)
    assert (failed.state, failed.attempts) == (JobState.FAILED, 2)
    assert failed.failure is not None
    assert failed.failure.kind == "Crashed"


def test_a_job_is_taken_up_again_whenever_a_server_dies_but_not_for_ever(store: JobStore, queue: JobQueue) -> None:
    job_id = store.submit(asked()).job.id
    for number in range(MAX_CLAIMS):
        assert store.get(job_id).attempts == 0
        queue.running(claimed(queue, f"dead{number}"))
        assert queue.recover() == 1
    failed = store.get(job_id)
    assert failed.state is JobState.FAILED
    assert failed.failure is not None
    assert failed.failure.kind == "Crashed"


def test_a_job_given_back_at_shutdown_has_lost_no_attempt(store: JobStore, queue: JobQueue) -> None:
    job_id = store.submit(asked()).job.id
    for _ in range(5):
        claim = claimed(queue)
        assert queue.release(claim)
        assert not queue.succeed(claim, RESULT, {})
    assert (store.get(job_id).state, store.get(job_id).attempts) == (JobState.QUEUED, 0)
    assert queue.succeed(claimed(queue), RESULT, {})


def test_the_same_worker_s_earlier_claim_is_worth_nothing(store: JobStore, queue: JobQueue) -> None:
    store.submit(asked())
    stale = claimed(queue)
    queue.release(stale)
    fresh = claimed(queue)
    assert not queue.progress(stale, 0.9, "late")
    assert not queue.succeed(stale, RESULT, {})
    assert queue.succeed(fresh, RESULT, {})


def test_jobs_of_a_worker_without_heartbeat_are_recovered(
    store: JobStore, queue: JobQueue, workers: WorkerRegistry, clock: FakeClock
) -> None:
    silent, alive = workers.join(HERE), workers.join(HERE)
    lost, kept = store.submit(asked()).job.id, store.submit(asked()).job.id
    claims = [claimed(queue, silent), claimed(queue, alive)]
    clock.pass_(10)
    workers.heartbeat(alive, HERE)
    assert (workers.remove_dead(), queue.recover()) == (0, 0)
    clock.pass_(6)
    assert (workers.remove_dead(), queue.recover()) == (1, 1)
    states = {claim.job.id: store.get(claim.job.id).state for claim in claims}
    assert set(states) == {lost, kept}
    assert list(states.values()) == [JobState.QUEUED, JobState.LOADING]
    assert not queue.succeed(claims[0], RESULT, {})
    workers.heartbeat(silent, HERE)
    assert queue.succeed(claimed(queue, silent), RESULT, {})


def test_jobs_of_a_process_that_is_gone_are_recovered_at_once(
    store: JobStore, queue: JobQueue, workers: WorkerRegistry
) -> None:
    store.submit(asked())
    claim = claimed(queue, workers.join(ProcessIdentity("here", 666, 0.0)))
    assert (workers.remove_dead(), queue.recover()) == (1, 1)
    assert store.get(claim.job.id).state is JobState.QUEUED


def test_what_loading_takes_is_remembered(queue: JobQueue) -> None:
    assert queue.load_seconds("composer") is None
    queue.loaded("composer", 2.0)
    assert queue.load_seconds("composer") == 2.0
    queue.loaded("composer", 3.0)
    assert 2.0 < (queue.load_seconds("composer") or 0) < 3.0


def test_a_worker_that_left_keeps_nothing(store: JobStore, queue: JobQueue, workers: WorkerRegistry) -> None:
    store.submit(asked())
    worker = workers.join(HERE)
    claim = claimed(queue, worker)
    assert queue.held(worker) == {claim.job.id}
    workers.leave(worker)
    assert queue.recover() == 1
    assert queue.held(worker) == frozenset()


def test_servers_that_recover_at_once_requeue_each_job_once(
    store: JobStore, queue: JobQueue, database: Database, clock: FakeClock
) -> None:
    for _ in range(10):
        store.submit(asked())
    for number in range(10):
        claimed(queue, f"dead{number}")
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: JobQueue(database, clock).recover(), range(4))) == 10
    assert store.counts() == {JobState.QUEUED: 10}
