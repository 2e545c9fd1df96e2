"""Handing jobs in, finding them again, listing and cancelling them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.errors import DatabaseError, IdempotencyConflict, InvalidRequest, JobNotFound, QueueFull
from tunesmith.jobs.job import Failure, JobOptions, JobState, PredictionOptions, Submission, WebhookTarget
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobFilter, JobStore, QueueDepth
from tunesmith.library.database import Database
from tunesmith.request import GenerationRequest


@pytest.fixture
def store(database: Database, clock: FakeClock) -> JobStore:
    return JobStore(database, 20, clock)


@pytest.fixture
def queue(database: Database, clock: FakeClock) -> JobQueue:
    return JobQueue(database, clock, clock)


def test_a_job_comes_back_as_it_was_handed_in(store: JobStore, clock: FakeClock) -> None:
    request = GenerationRequest(prompt="ジャズ 🎷 l'été", duration=62.5, instruments=("piano",), seed=2**53 - 1)
    webhook = WebhookTarget("https://x.test/", ("start", "completed"))
    prediction = PredictionOptions({"nested": [1, None, {"é": 0.1}], "odd": "\0"}, webhook=webhook)
    options = JobOptions("mp3", prediction=prediction)
    submission = Submission(request, "replicate", "token-1", 3, "key", "meta/musicgen", "composer", options)
    job = store.submit(submission).job
    assert store.get(job.id) == job
    assert (job.request, job.options, job.model, job.generated_by) == (request, options, "meta/musicgen", "composer")
    assert (job.owner, job.priority, job.idempotency_key, job.dialect) == ("token-1", 3, "key", "replicate")
    assert (job.state, job.created_at, job.attempts, job.progress) == (JobState.QUEUED, clock(), 0, 0)
    assert (job.result, job.failure, job.started_at, job.eta_seconds) == (None, None, None, None)


@pytest.mark.parametrize("job_id", ["nope", "", "a\0b", "\ud800", "0" * 42, "é" * 42, "\0" * 42])
def test_a_job_that_is_not_there_is_named(store: JobStore, job_id: str) -> None:
    with pytest.raises(JobNotFound, match=r"^there is no job '"):
        store.get(job_id)
    with pytest.raises(JobNotFound):
        store.cancel(job_id)


def test_a_page_after_no_job_is_refused(store: JobStore) -> None:
    with pytest.raises(JobNotFound):
        store.list(before="\0")
    with pytest.raises(InvalidRequest, match="limit: must be at least 1, got 0"):
        store.list(limit=0)


def test_the_same_key_gives_the_same_job(store: JobStore) -> None:
    first = store.submit(asked("a", idempotency_key="k"))
    again = store.submit(asked("a", idempotency_key="k"))
    others = [store.submit(asked("b", idempotency_key="k")), store.submit(asked(idempotency_key="k"))]
    assert (first.created, again.created, again.job.id) == (True, False, first.job.id)
    assert len({first.job.id, *(other.job.id for other in others)}) == 3
    assert store.submit(asked(idempotency_key="k")).job.id == others[1].job.id


def test_the_same_key_for_another_request_is_refused(store: JobStore) -> None:
    store.submit(asked("a", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="idempotency_key: 'k' was already used for another request"):
        store.submit(asked("a", idempotency_key="k", prompt="jazz"))


def test_callers_that_use_a_key_at_once_share_one_job(store: JobStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(store.submit, [asked("a", idempotency_key="k")] * 16))
    assert len({one.job.id for one in made}) == 1
    assert sum(one.created for one in made) == 1


def test_a_full_queue_says_when_to_come_back(store: JobStore, queue: JobQueue, clock: FakeClock) -> None:
    store.submit(asked())
    claim = claimed(queue)
    queue.running(claim)
    clock.pass_(4)
    queue.progress(claim, 0.25, "playing")  # 4 s for a quarter: 12 s to go
    for _ in range(20):
        store.submit(asked())
    clock.pass_(2.5)
    with pytest.raises(QueueFull, match="20 requests are waiting; try again in 10 s") as caught:
        store.submit(asked())
    assert (caught.value.num_waiting, caught.value.retry_after) == (20, 10)
    claimed(queue)
    store.submit(asked())


def test_the_bound_holds_for_callers_at_once(store: JobStore) -> None:
    def hand_in(_: int) -> bool:
        try:
            return store.submit(asked()).created
        except QueueFull:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(hand_in, range(40))) == 20
    assert store.counts() == {JobState.QUEUED: 20}


def test_pages_hold_every_job_once_newest_first(store: JobStore, clock: FakeClock) -> None:
    made = []
    for _ in range(7):
        made.append(store.submit(asked()).job.id)
        clock.pass_(1)
    seen, before = [], None
    while True:
        page = store.list(limit=3, before=before)
        seen += [job.id for job in page.jobs]
        before = page.next_before
        if before is None:
            break
    assert seen == made[::-1]
    assert store.list(limit=7).next_before is None


def test_lists_can_be_narrowed(store: JobStore) -> None:
    mine = store.submit(asked("me", dialect="replicate")).job
    store.submit(asked("you"))
    canceled = store.cancel(store.submit(asked("me")).job.id)
    assert {job.id for job in store.list(JobFilter(owner="me")).jobs} == {mine.id, canceled.id}
    assert store.list(JobFilter("me", "replicate")).jobs == (mine,)
    assert store.list(JobFilter(states=[JobState.CANCELED])).jobs == (canceled,)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_job_can_be_canceled_until_it_is_finished(
    store: JobStore, queue: JobQueue, clock: FakeClock, steps: int
) -> None:
    job_id = store.submit(asked()).job.id
    claim = claimed(queue) if steps > 0 else None
    if claim and steps > 1:
        queue.running(claim)
    clock.pass_(5)
    canceled = store.cancel(job_id)
    assert (canceled.state, canceled.finished_at) == (JobState.CANCELED, clock())
    assert queue.claim("w2") is None
    if claim:
        assert queue.held("w1") == frozenset()
        assert not queue.progress(claim, 0.5, "playing")
        assert not queue.succeed(claim, RESULT, {})
    clock.pass_(5)
    assert store.cancel(job_id) == canceled


def test_a_final_state_never_changes(store: JobStore, queue: JobQueue) -> None:
    for succeeds in (True, False):
        job_id = store.submit(asked()).job.id
        claim = claimed(queue)
        assert queue.succeed(claim, RESULT, {}) if succeeds else queue.fail(claim, Failure("Broken", "broke"))
        before = store.get(job_id)
        assert not queue.running(claim)
        assert not queue.progress(claim, 0.1, "again")
        assert not queue.succeed(claim, RESULT, {"other": 1})
        assert not queue.fail(claim, Failure("Late", "too late"))
        assert not queue.requeue(claim)
        assert not queue.release(claim)
        assert queue.recover() == 0
        assert store.cancel(job_id) == before == store.get(job_id)


def test_the_uses_of_results_are_known_until_they_are_removed(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    for _ in range(2):
        job_id = store.submit(asked()).job.id
        queue.succeed(claimed(queue), RESULT, {})
        clock.pass_(10)
    assert store.result_uses() == {RESULT.digest: clock() - 10}
    assert not store.get(job_id).data_removed
    store.forget_results([RESULT.digest], clock())
    assert store.get(job_id).data_removed
    assert store.result_uses() == {}


def test_depths_tell_how_many_jobs_wait_for_each_model_and_since_when(
    store: JobStore, queue: JobQueue, clock: FakeClock
) -> None:
    store.submit(asked(model="tiny"))
    clock.pass_(5)
    store.submit(asked(model="tiny"))
    store.submit(asked())
    clock.pass_(2)
    claimed(queue)
    assert set(store.depths()) == {
        QueueDepth("tiny", JobState.LOADING, 1, 7.0), QueueDepth("tiny", JobState.QUEUED, 1, 2.0),
        QueueDepth("composer", JobState.QUEUED, 1, 2.0),
    }  # fmt: skip
    assert queue.fail(claimed(queue), Failure("InvalidRequest", "no"))
    assert sum(depth.jobs for depth in store.depths()) == 2


def test_the_recordings_of_unfinished_jobs_are_in_use(store: JobStore) -> None:
    first, _ = (
        store.submit(Submission(GenerationRequest(prompt="on", audio=Path(path), melody=Path("/in/melody")), "api")).job
        for path in ("/in/first", "/in/second")
    )
    store.submit(asked())
    assert store.recordings_in_use() == {"/in/first", "/in/second", "/in/melody"}
    store.cancel(first.id)
    assert store.recordings_in_use() == {"/in/second", "/in/melody"}


def test_a_ping_says_whether_the_database_is_there(store: JobStore, tmp_path: Path) -> None:
    store.ping()
    with closing(Database(f"sqlite:///{tmp_path / 'another.db'}")) as empty, pytest.raises(DatabaseError):
        JobStore(empty, 20).ping()
