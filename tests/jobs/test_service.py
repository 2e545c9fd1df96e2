"""MusicService: what is handed in, followed and cancelled, with the real database and a worker's hands."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import pytest
from sounds import wav_bytes
from stand_ins import install
from work import RESULT, asked, claimed

from tunesmith.config import Settings
from tunesmith.errors import (
    DatabaseBusy,
    IdempotencyConflict,
    InvalidRequest,
    JobNotFound,
    ModelNotInstalled,
    QueueFull,
    UnknownName,
)
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Claim, Failure, Job, JobState, Submission
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.service import MusicService, ServiceFiles
from tunesmith.jobs.store import JobFilter, JobStore, WorkerSlot
from tunesmith.jobs.uploads import UploadStore
from tunesmith.library.database import Database, database_url
from tunesmith.library.migrate import open_database
from tunesmith.models.commercial_safety import OPEN_POLICY, CommercialPolicy
from tunesmith.models.store import Store

Given = TypeVar("Given")
SMALL = "facebook/musicgen-small"
BUSY_SECONDS = 0.3


class Shop:
    """A service over a data folder, and the queue that its workers would take jobs from."""

    def __init__(
        self, folder: Path, *, stand_ins: bool = True, queue_limit: int = 500, policy: CommercialPolicy = OPEN_POLICY
    ) -> None:
        settings = Settings(data_dir=folder)
        open_database(settings).close()
        self.database = Database(database_url(settings), BUSY_SECONDS)
        self.store = JobStore(self.database, queue_limit)
        self.queue = JobQueue(self.database)
        self.results = ResultFiles(folder / "results")
        self.changes = JobEvents()
        self.woken: list[str | None] = []
        self.worker: str | None = None
        self.reserved: Counter[str] = Counter()
        self.started: list[Claim] = []
        files = ServiceFiles(self.results, UploadStore(folder / "inputs"))
        service = cast("Dispatcher", self)
        self.service = MusicService(self.store, files, self.changes, service, allow_fallback=stand_ins, policy=policy)

    def wake(self, cancelled: str | None = None) -> None:
        self.woken.append(cancelled)

    def reserve(self, model: str) -> WorkerSlot | None:
        if self.worker is None:
            return None
        self.reserved[model] += 1
        return WorkerSlot(self.worker)

    def release(self, model: str) -> None:
        self.reserved[model] -= 1

    def start(self, claim: Claim) -> None:
        self.started.append(claim)

    def submit(self, submission: Submission) -> Job:
        return run(lambda: self.service.submit(submission))

    def claim(self) -> Claim:
        return claimed(self.queue)

    def in_state(self, state: JobState) -> str:
        """Return the id of a job that has come as far as that."""
        job = self.submit(asked())
        if state is JobState.CANCELED:
            self.store.cancel(job.id)
        elif state is not JobState.QUEUED:
            claim = self.claim()
            if state is not JobState.LOADING:
                self.queue.running(claim)
            if state is JobState.SUCCEEDED:
                self.queue.succeed(claim, RESULT, {})
            if state is JobState.FAILED:
                self.queue.fail(claim, Failure("InvalidRequest", "must rhyme"))
        assert self.store.get(job.id).state is state
        return job.id


def run(act: Callable[[], Awaitable[Given]]) -> Given:
    """Run a coroutine, and fail rather than hang."""

    async def bounded() -> Given:
        return await asyncio.wait_for(act(), 30)

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    one = Shop(tmp_path)
    with closing(one.database):
        yield one


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Shop]:
    one = Shop(tmp_path, stand_ins=False, queue_limit=2)
    with closing(one.database):
        yield one


def test_what_is_handed_in_waits_in_the_queue_with_a_seed_and_wakes_the_workers(shop: Shop) -> None:
    job = shop.submit(asked("owner", prompt="calm piano"))
    assert (job.state, job.owner, job.model, job.generated_by) == (JobState.QUEUED, "owner", "composer", "composer")
    assert job.request.seed is not None
    assert shop.store.get(job.id) == job
    assert shop.woken == [None]


def test_a_seed_asked_for_is_kept_and_others_are_drawn_afresh(shop: Shop) -> None:
    submission = asked()
    seeded = replace(submission, request=submission.request.model_copy(update={"seed": 0}))
    assert shop.submit(seeded).request.seed == 0
    assert len({shop.submit(submission).request.seed for _ in range(5)}) == 5


def test_a_licence_that_the_policy_of_server_or_caller_does_not_accept_never_reaches_the_queue(tmp_path: Path) -> None:
    install(Store.default(), "limited", licence="stability-ai-community")
    safe, below = CommercialPolicy(commercial_safe=True), CommercialPolicy(True, revenue_below_limit=True)
    for server, caller, accepted in (
        (OPEN_POLICY, OPEN_POLICY, True), (OPEN_POLICY, below, True), (below, below, True), (below, OPEN_POLICY, True),
        (safe, OPEN_POLICY, False), (safe, below, False), (OPEN_POLICY, safe, False), (below, safe, False),
    ):  # fmt: skip
        shop = Shop(tmp_path, policy=server)
        with closing(shop.database):
            if accepted:
                assert shop.submit(asked(model="limited", policy=caller)).generated_by == "limited"
            else:
                with pytest.raises(InvalidRequest, match="commercial_safe: limited may be used commercially only"):
                    shop.submit(asked(model="limited", policy=caller))
            assert shop.woken == [None] * accepted
            assert shop.submit(asked(policy=caller)).generated_by == "composer"


def test_an_idempotency_key_gives_the_same_job_to_the_same_owner(shop: Shop) -> None:
    first = shop.submit(asked("a", idempotency_key="k"))
    assert shop.submit(asked("a", idempotency_key="k")).id == first.id
    assert shop.submit(asked("b", idempotency_key="k")).id != first.id
    assert shop.submit(asked("a", idempotency_key="l")).id != first.id
    assert shop.submit(asked(None, idempotency_key="k")).id != first.id


@pytest.mark.parametrize("other", [{"prompt": "another"}, {"model": SMALL}])
def test_an_idempotency_key_is_not_taken_for_another_request(shop: Shop, other: dict[str, str]) -> None:
    shop.submit(asked("a", idempotency_key="k"))
    with pytest.raises(IdempotencyConflict, match="'k' was already used for another request"):
        shop.submit(asked("a", idempotency_key="k", **other))
    assert len(shop.store.list().jobs) == 1


def test_an_idempotency_key_outlives_the_job(shop: Shop) -> None:
    job = shop.submit(asked("a", idempotency_key="k"))
    shop.queue.succeed(shop.claim(), RESULT, {})
    assert shop.submit(asked("a", idempotency_key="k")).id == job.id
    assert len(shop.store.list().jobs) == 1


def test_callers_who_come_at_once_with_one_key_get_one_job(shop: Shop) -> None:
    async def act() -> set[str]:
        submissions = [shop.service.submit(asked("a", idempotency_key="k")) for _ in range(8)]
        return {job.id for job in await asyncio.gather(*submissions)}

    assert len(run(act)) == 1
    assert len(shop.store.list().jobs) == 1


def test_a_model_that_is_not_here_is_stood_in_for_and_what_it_alone_reads_left_out(shop: Shop) -> None:
    submission = asked(model=SMALL)
    wished = submission.request.model_copy(update={"top_k": 5, "guidance_scale": 3.0})
    job = shop.submit(replace(submission, request=wished))
    assert (job.model, job.generated_by) == (SMALL, "composer")
    assert (job.request.top_k, job.request.guidance_scale) == (None, None)
    assert sorted(job.options.dropped) == ["guidance_scale", "top_k"]


def test_without_stand_ins_nothing_is_queued_for_a_model_that_is_not_here(strict: Shop) -> None:
    with pytest.raises(ModelNotInstalled, match="tunesmith pull musicgen-small"):
        strict.submit(asked(model=SMALL))
    assert not strict.store.list().jobs
    assert not strict.woken


def test_what_cannot_be_is_refused_before_it_is_queued(shop: Shop) -> None:
    with pytest.raises(UnknownName):
        shop.submit(asked(model="compozer"))
    assert not shop.store.list().jobs


def test_a_full_queue_says_when_to_come_back_and_still_knows_the_keys_it_has_seen(strict: Shop) -> None:
    first = strict.submit(asked("a", idempotency_key="k"))
    strict.submit(asked())
    with pytest.raises(QueueFull) as caught:
        strict.submit(asked())
    assert caught.value.retry_after
    assert strict.submit(asked("a", idempotency_key="k")).id == first.id


def test_nobody_sees_the_jobs_of_others(shop: Shop) -> None:
    job = shop.submit(asked("a"))
    assert run(lambda: shop.service.get(job.id, "a")) == run(lambda: shop.service.get(job.id))
    for owner, job_id in (("b", job.id), ("a", "0" * 42), ("a", "../../etc")):
        with pytest.raises(JobNotFound):
            run(lambda: shop.service.get(job_id, owner))  # noqa: B023  run at once
    assert run(lambda: shop.service.page(JobFilter("b"), 10, None)).jobs == ()


@pytest.mark.parametrize("state", JobState)
def test_cancel_works_in_every_state_and_changes_no_end(shop: Shop, state: JobState) -> None:
    job_id = shop.in_state(state)
    expected = state if state.is_final else JobState.CANCELED
    for _ in range(2):  # once more changes nothing
        before = shop.store.get(job_id).finished_at
        job = run(lambda: shop.service.cancel(job_id))
        assert job.state is expected
        assert job.finished_at == before or before is None
    assert shop.woken[-2:] == [job_id, job_id]


@pytest.mark.parametrize("state", [JobState.LOADING, JobState.RUNNING])
def test_the_worker_of_a_cancelled_job_is_told_and_can_finish_it_no_more(shop: Shop, state: JobState) -> None:
    shop.submit(asked())
    claim = shop.claim()
    if state is JobState.RUNNING:
        shop.queue.running(claim)
    run(lambda: shop.service.cancel(claim.job.id))
    assert not shop.queue.progress(claim, 0.5, "playing")
    assert not shop.queue.succeed(claim, RESULT, {})
    assert claim.job.id not in shop.queue.held(claim.worker)
    assert shop.store.get(claim.job.id).state is JobState.CANCELED


def test_a_cancelled_job_is_never_claimed(shop: Shop) -> None:
    job = shop.submit(asked())
    run(lambda: shop.service.cancel(job.id))
    assert shop.queue.claim("w1") is None


@pytest.mark.parametrize("job_id", ["", "nonsense", "0" * 42, "\ud800"])
def test_what_there_is_not_cannot_be_cancelled(shop: Shop, job_id: str) -> None:
    with pytest.raises(JobNotFound):
        run(lambda: shop.service.cancel(job_id))


@pytest.mark.parametrize("state", JobState)
def test_whoever_waits_gets_the_end_or_the_job_as_it_is_after_the_time(shop: Shop, state: JobState) -> None:
    job = shop.store.get(shop.in_state(state))
    assert run(lambda: shop.service.wait(job, 0.0)).state is state
    if state.is_final:
        assert run(lambda: shop.service.wait(job)).state is state


def test_whoever_waits_is_woken_by_the_end(shop: Shop) -> None:
    shop.submit(asked())
    claim = shop.claim()

    async def act() -> Job:
        waiting = asyncio.create_task(shop.service.wait(claim.job))
        await anext(shop.service.events(claim.job.id))
        await asyncio.to_thread(shop.queue.succeed, claim, RESULT, {})
        shop.changes.publish(claim.job.id)
        return await waiting

    assert run(act).state is JobState.SUCCEEDED


def test_the_end_is_handed_on_to_who_waits_and_who_asks_after_it_unread(shop: Shop) -> None:
    job = shop.submit(asked())
    ended = shop.queue.succeed(shop.claim(), RESULT, {})
    assert ended == shop.store.get(job.id)

    async def act() -> None:
        waiting = asyncio.create_task(shop.service.wait(job))
        await asyncio.sleep(0)
        shop.changes.publish(job.id, ended)
        assert await waiting is ended
        assert await shop.service.get(job.id) is ended

    run(act)


def test_events_begin_with_the_job_as_it_is_and_finish_with_its_end(shop: Shop) -> None:
    shop.submit(asked())
    claim = shop.claim()

    async def act() -> list[JobState]:
        seen = []
        async for job in shop.service.events(claim.job.id):
            seen.append(job.state)
            if job.state is JobState.LOADING:
                await asyncio.to_thread(shop.queue.running, claim)
            elif job.state is JobState.RUNNING:
                await asyncio.to_thread(shop.queue.fail, claim, Failure("Crashed", "it ended"))
            shop.changes.publish(claim.job.id)
        return seen

    assert run(act) == [JobState.LOADING, JobState.RUNNING, JobState.FAILED]


def test_a_result_is_found_until_it_is_removed(shop: Shop) -> None:
    stored = shop.results.add(wav_bytes())
    shop.submit(asked())
    claim = shop.claim()
    with pytest.raises(JobNotFound):
        shop.service.result_path(claim.job)
    shop.queue.succeed(claim, replace(RESULT, digest=stored.digest, bytes=stored.bytes), {})
    job = shop.store.get(claim.job.id)
    assert shop.service.result_path(job).read_bytes() == wav_bytes()
    shop.service.result_path(job).unlink()
    with pytest.raises(JobNotFound):
        shop.service.result_path(job)


def test_a_recording_is_kept_and_what_is_no_sound_refused_by_its_field(shop: Shop) -> None:
    path = run(lambda: shop.service.input_file(wav_bytes(), "melody"))
    assert path.read_bytes() == wav_bytes()
    with pytest.raises(InvalidRequest, match="melody: is not a readable audio file"):
        run(lambda: shop.service.input_file(b"nonsense", "melody"))


class Holder:
    """Another program that holds the database, from its own connection."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "tunesmith.db", isolation_level=None, check_same_thread=False)
        self._connection.execute("BEGIN IMMEDIATE")

    def let_go(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_a_database_held_by_another_process_is_told_as_busy_and_takes_jobs_again_after_it(
    shop: Shop, tmp_path: Path
) -> None:
    before = shop.submit(asked())
    holder = Holder(tmp_path)
    try:
        with pytest.raises(DatabaseBusy, match="locked by another program") as caught:
            shop.submit(asked())
        assert caught.value.retry_after > 0
        with pytest.raises(DatabaseBusy):
            run(lambda: shop.service.cancel(before.id))
        assert run(lambda: shop.service.get(before.id)) == before  # who only reads need not wait
    finally:
        holder.let_go()
    assert shop.submit(asked()).state is JobState.QUEUED
    assert len(shop.store.list().jobs) == 2


def test_a_worker_with_a_free_place_starts_a_job_as_it_is_submitted(shop: Shop) -> None:
    shop.worker = "w1"
    job = shop.submit(asked("a", idempotency_key="k"))
    (claim,) = shop.started
    assert (job.state, claim.worker) == (JobState.QUEUED, "w1")
    assert claim.job == shop.store.get(job.id)
    assert shop.woken == []
    assert shop.submit(asked("a", idempotency_key="k")).id == job.id  # handed in again, not started again
    assert (len(shop.started), shop.reserved["composer"]) == (1, 1)


def test_a_place_is_given_back_where_a_job_has_to_wait_or_is_refused(tmp_path: Path) -> None:
    shop = Shop(tmp_path, queue_limit=2)
    shop.submit(asked())
    shop.worker = "w1"
    assert shop.submit(asked()).state is JobState.QUEUED
    with pytest.raises(QueueFull):
        shop.submit(asked())
    assert (shop.reserved["composer"], shop.started) == (0, [])


def test_a_database_held_for_a_moment_costs_only_that_moment(tmp_path: Path) -> None:
    open_database(Settings(data_dir=tmp_path)).close()
    with closing(Database(database_url(Settings(data_dir=tmp_path)), busy_seconds=20)) as database:
        store, holder = JobStore(database, 500), Holder(tmp_path)
        release = threading.Timer(0.2, holder.let_go)
        release.start()
        assert store.submit(asked()).created
        release.join()
