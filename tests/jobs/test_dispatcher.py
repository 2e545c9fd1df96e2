"""The dispatcher: from the queue through real runners to results, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import strange_generators

from tunesmith.audio.reader import read_audio
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError
from tunesmith.jobs import dispatcher as module
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Claim, Job, JobOptions, JobResult, JobState, Submission
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.store import JobStore, WorkerSlot
from tunesmith.jobs.worker_registry import HEARTBEAT_SECONDS, ProcessIdentity, WorkerRegistry
from tunesmith.library.migrate import open_database
from tunesmith.request import GenerationRequest

UNFINISHED = (JobState.QUEUED, JobState.LOADING, JobState.RUNNING)


class Workshop:
    """A queue with a dispatcher at work on it. ``queue`` may be a class that fails."""

    def __init__(self, folder: Path, queue: type[JobQueue] = JobQueue, limits: PoolLimits | None = None) -> None:
        self.database = open_database(Settings(data_dir=folder))
        self.store, self.queue = JobStore(self.database, 500), queue(self.database)
        self.results = ResultFiles(folder / "results")
        self.pool = LocalPool(limits or PoolLimits(composers=1))
        self.dispatcher = Dispatcher(self.queue, WorkerRegistry(self.database), self.results, self.pool, JobEvents())

    def submit(self, model: str, prompt: str = "calm piano", **options: Any) -> str:
        request = GenerationRequest.checked(prompt=prompt, model=model, seed=1, duration=1)
        job = self.store.submit(Submission(request, "test", options=JobOptions(**options))).job
        self.dispatcher.wake()
        return job.id

    def cancel(self, job_id: str) -> None:
        self.store.cancel(job_id)
        self.dispatcher.wake(job_id)

    async def until(self, job_id: str, *states: JobState) -> Job:
        while (job := self.store.get(job_id)).state not in states:
            await asyncio.sleep(0.01)
        return job

    async def ended(self, job_id: str) -> Job:
        return await self.until(job_id, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


@pytest.fixture(autouse=True)
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))


@contextlib.asynccontextmanager
async def working(shop: Workshop, drain_seconds: float = 0) -> AsyncIterator[Workshop]:
    task = asyncio.create_task(shop.dispatcher.run())
    try:
        yield shop
    finally:
        await shop.dispatcher.close(drain_seconds)
        await shop.pool.close(0)
        await task
        shop.database.close()


def run(act: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine, and fail rather than hang."""
    asyncio.run(asyncio.wait_for(act(), 60))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_job_becomes_a_file_that_says_all_about_itself(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            job = await shop.ended(shop.submit("composer", format="flac"))
            assert job.state is JobState.SUCCEEDED
            assert job.result is not None
            path = shop.results.find(job.result.digest)
            assert path is not None
            assert read_audio(path).duration == job.result.duration == 1.0
            assert (job.result.format, job.metadata["seed"], job.progress) == ("flac", 1, 1.0)
            assert job.queued_seconds is not None
            assert job.load_seconds is not None
            assert 0 < (shop.queue.load_seconds("composer") or 0) < 60
            assert not list((tmp_path / "results" / "incoming").iterdir())

    run(act)


def test_a_job_is_claimed_as_it_is_submitted_while_there_is_a_place_and_never_beyond(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path, limits=PoolLimits(batch_rows=4))) as shop:  # 2 places
            assert shop.dispatcher.reserve("patient") is None  # not at work yet
            await until(lambda: shop.dispatcher.reserve("other") is not None)
            places = [shop.dispatcher.reserve("patient") for _ in range(3)]
            assert places[0] is not None
            assert places == [places[0]] * 2 + [None]
            request = GenerationRequest.checked(prompt=str(tmp_path / "gate"), model="patient", seed=1, duration=1)
            claim = shop.store.submit(Submission(request, "test"), places[0]).claim
            assert claim is not None
            shop.dispatcher.start(claim)
            assert shop.dispatcher.reserve("patient") is None
            shop.dispatcher.release("patient")  # of the second, which was not used
            assert shop.dispatcher.reserve("patient") == places[0]
            for model in ("patient", "other"):
                shop.dispatcher.release(model)
            (tmp_path / "gate").touch()
            assert (await shop.ended(claim.job.id)).state is JobState.SUCCEEDED
            shop.dispatcher.drain()
            assert shop.dispatcher.reserve("patient") is None

    run(act)


def test_the_end_of_a_job_looks_for_those_that_wait_at_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        shop = Workshop(tmp_path)
        WorkerRegistry(shop.database).join(ProcessIdentity.own())
        monkeypatch.setattr("tunesmith.jobs.dispatcher.HEARTBEAT_SECONDS", 3600.0)
        async with working(shop):
            running = shop.submit("patient", str(tmp_path / "gate"))
            await shop.until(running, JobState.RUNNING)
            request = GenerationRequest.checked(prompt="calm piano", seed=1, duration=1)
            # The other server does not wake this one.
            waiting = shop.store.submit(Submission(request, "test")).job
            (tmp_path / "gate").touch()
            assert (await shop.ended(waiting.id)).state is JobState.SUCCEEDED

    run(act)


@pytest.mark.parametrize(("model", "kind"), [
    ("mistaken", "InvalidRequest"), ("raising", "InternalError"), ("unloadable", "ModelNotInstalled"),
    ("crashing", "Crashed"),
])  # fmt: skip
def test_what_cannot_be_made_fails_with_its_kind(tmp_path: Path, model: str, kind: str) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            job = await shop.ended(shop.submit(model))
            assert job.state is JobState.FAILED
            assert job.failure is not None
            assert job.failure.kind == kind
            assert job.attempts == (2 if model == "crashing" else 1)
            assert "secret" not in job.failure.message

    run(act)


def test_a_job_whose_runner_crashed_once_is_made_by_the_next(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            (tmp_path / "gate").touch()
            job = await shop.ended(shop.submit("crashing", str(tmp_path / "gate")))
            assert job.state is JobState.SUCCEEDED

    run(act)


def test_what_takes_a_runner_down_does_not_take_those_beside_it_down_twice(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            beside = [shop.submit("poisoned", str(tmp_path / "gate")) for _ in range(3)]
            await until(lambda: {shop.store.get(one).state for one in beside} == {JobState.RUNNING})
            poison = shop.submit("poisoned", "poison")
            await until(lambda: any(shop.store.get(one).attempts == 2 for one in beside))
            (tmp_path / "gate").touch()
            assert (await shop.ended(poison)).state is JobState.FAILED
            jobs = [await shop.ended(one) for one in beside]
            assert [(job.state, job.attempts) for job in jobs] == [(JobState.SUCCEEDED, 2)] * 3
            after = [shop.submit("poisoned", str(tmp_path / "gate")) for _ in range(3)]
            assert {(await shop.ended(one)).attempts for one in after} == {1}

    run(act)


def test_a_model_with_all_its_places_taken_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path, limits=PoolLimits(batch_rows=4))) as shop:
            slow = [shop.submit("patient", str(tmp_path / "gate")) for _ in range(5)]
            await until(lambda: [shop.store.get(one).state for one in slow].count(JobState.RUNNING) == 2)
            assert (await shop.ended(shop.submit("prompt"))).state is JobState.SUCCEEDED
            assert [shop.store.get(one).state for one in slow].count(JobState.QUEUED) == 3
            (tmp_path / "gate").touch()
            assert {(await shop.ended(one)).state for one in slow} == {JobState.SUCCEEDED}

    run(act)


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_job_is_cancelled_in_every_state_and_the_next_gets_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: JobState
) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "gate"))
    model = "slow" if state is JobState.LOADING else "patient"

    async def act() -> None:
        async with working(Workshop(tmp_path, limits=PoolLimits(batch_rows=2))) as shop:
            first = shop.submit(model, str(tmp_path / "never"))
            if state is JobState.QUEUED:
                await shop.until(first, JobState.RUNNING)
            wanted = shop.submit(model, str(tmp_path / "gate")) if state is JobState.QUEUED else first
            await shop.until(wanted, state)
            before = asyncio.get_running_loop().time()
            shop.cancel(wanted)
            if state is not JobState.QUEUED:
                (tmp_path / "gate").touch()
                assert (await shop.ended(shop.submit(model, str(tmp_path / "gate")))).state is JobState.SUCCEEDED
                assert asyncio.get_running_loop().time() - before < HEARTBEAT_SECONDS
            assert shop.store.get(wanted).state is JobState.CANCELED

    run(act)


def test_a_job_that_another_server_cancelled_is_dropped_at_its_next_report(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            job_id = shop.submit("patient", str(tmp_path / "never"))
            await shop.until(job_id, JobState.RUNNING)
            shop.store.cancel(job_id)
            await until(lambda: not any(one.busy for one in shop.pool.loaded()))
            assert shop.store.get(job_id).state is JobState.CANCELED

    run(act)


class StartedMeanwhile(JobQueue):
    """A queue in which a job is submitted, claimed and started while the dispatcher reads which jobs it holds."""

    shop: Workshop | None = None
    started: str | None = None
    taken_back = 0

    def take_back(self, worker: str, job_ids: Collection[str]) -> int:
        self.taken_back += len(job_ids)
        return super().take_back(worker, job_ids)

    def held(self, worker: str) -> frozenset[str]:
        held = super().held(worker)
        if self.shop is not None and self.started is None and self.shop.dispatcher.reserve("composer"):
            request = GenerationRequest.checked(prompt="calm piano", seed=1, duration=1)
            claim = self.shop.store.submit(Submission(request, "test"), WorkerSlot(worker)).claim
            assert claim is not None
            self.started = claim.job.id
            self.shop.dispatcher.start(claim)
        return held


def test_a_job_that_starts_while_the_dispatcher_looks_which_it_holds_is_not_stopped(tmp_path: Path) -> None:
    async def act() -> None:
        shop = Workshop(tmp_path, queue=StartedMeanwhile)
        queue = shop.queue
        assert isinstance(queue, StartedMeanwhile)
        queue.shop = shop
        async with working(shop):
            await until(lambda: queue.started is not None)
            job = await shop.ended(str(queue.started))
            assert (job.state, queue.taken_back) == (JobState.SUCCEEDED, 0)

    run(act)


def test_a_job_that_is_claimed_and_never_started_is_queued_again(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            await until(lambda: shop.dispatcher.reserve("composer") is not None)
            place = shop.dispatcher.reserve("other")
            request = GenerationRequest.checked(prompt="calm piano", seed=1, duration=1)
            claim = shop.store.submit(Submission(request, "test"), place).claim
            assert claim is not None
            for model in ("composer", "other"):
                shop.dispatcher.release(model)
            job = await shop.ended(claim.job.id)
            assert (job.state, job.attempts) == (JobState.SUCCEEDED, 1)

    run(act)


def test_closing_lets_jobs_finish_and_takes_no_new_ones(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path), drain_seconds=30) as shop:
            first = shop.submit("patient", str(tmp_path / "gate"))
            await shop.until(first, JobState.RUNNING)
            shop.dispatcher.drain()
            second = shop.submit("prompt")
            asyncio.get_running_loop().call_later(0.1, (tmp_path / "gate").touch)
        with contextlib.closing(open_database(Settings(data_dir=tmp_path))) as database:
            states = [JobStore(database, 500).get(one).state for one in (first, second)]
        assert states == [JobState.SUCCEEDED, JobState.QUEUED]

    run(act)


def test_closing_gives_back_what_does_not_finish_and_the_next_server_makes_it(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            job_id = shop.submit("patient", str(tmp_path / "gate"))
            await shop.until(job_id, JobState.RUNNING)
        (tmp_path / "gate").touch()
        async with working(Workshop(tmp_path)) as shop:
            job = await shop.ended(job_id)
            assert (job.state, job.attempts) == (JobState.SUCCEEDED, 1)

    run(act)


class Away(JobQueue):
    """A queue whose database is away at first, and again when a job has just been made."""

    times = 0

    def claim(self, worker: str, models: object = None) -> Claim | None:
        del models
        self._fail_first(1)
        return super().claim(worker)

    def succeed(self, claim: Claim, result: JobResult, metadata: object) -> Job | None:
        self._fail_first(2)
        return super().succeed(claim, result, metadata)  # type: ignore[arg-type]

    def _fail_first(self, times: int) -> None:
        self.times += 1
        if self.times <= times + 1:
            raise DatabaseError("here", "is locked by another program")


def test_a_database_that_is_away_for_a_while_costs_time_and_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)

    async def act() -> None:
        async with working(Workshop(tmp_path, queue=Away)) as shop:
            job = await shop.ended(shop.submit("prompt"))
            assert (job.state, job.attempts) == (JobState.SUCCEEDED, 1)

    run(act)


def test_a_job_may_say_how_long_its_model_stays(tmp_path: Path) -> None:
    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            await shop.ended(shop.submit("prompt", keep_alive=-1))
            assert [one.expires_in for one in shop.pool.loaded()] == [None]
            await shop.ended(shop.submit("prompt", keep_alive=0))
            await until(lambda: not shop.pool.loaded())

    run(act)


def test_a_job_whose_folder_is_removed_while_it_is_made_is_made_again(tmp_path: Path) -> None:
    async def act() -> None:
        gate = tmp_path / "gate"
        async with working(Workshop(tmp_path)) as shop:
            job_id = shop.submit("patient", str(gate))
            await shop.until(job_id, JobState.RUNNING)
            (tmp_path / "results").rename(tmp_path / "removed")
            gate.touch()
            job = await shop.ended(job_id)
            assert (job.state, job.attempts) == (JobState.SUCCEEDED, 2)
            assert job.result is not None
            assert shop.results.find(job.result.digest) is not None

    run(act)


def test_jobs_wait_while_the_folder_of_results_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)

    async def act() -> None:
        async with working(Workshop(tmp_path)) as shop:
            (tmp_path / "results").rename(tmp_path / "removed")
            (tmp_path / "results").write_text("in the way")
            job_id = shop.submit("prompt")
            await until(lambda: shop.dispatcher.problem is not None)
            assert shop.store.get(job_id).state is JobState.QUEUED
            (tmp_path / "results").unlink()
            assert (await shop.ended(job_id)).state is JobState.SUCCEEDED

    run(act)
