"""What work on a job comes to is written down and told, once for each time that it is worked on."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from work import asked

from tunesmith.config import Settings
from tunesmith.errors import RunnerCrashed, TaskFailed
from tunesmith.jobs.dispatcher import Dispatcher
from tunesmith.jobs.events import JobEvents
from tunesmith.jobs.job import Job
from tunesmith.jobs.job_run import JobEnd, Outcome
from tunesmith.jobs.job_streams import JobStream, StreamBroken
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.results import ResultFiles
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.runners.tasks import (
    LoadedModel,
    ProgressReport,
    ReportCallback,
    StreamReport,
    Task,
    TaskResult,
    stream_path,
)
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.worker_registry import WorkerRegistry
from tunesmith.library.migrate import open_database

Making = Callable[[Task, ReportCallback], Awaitable[TaskResult]]


class ScriptedPool(LocalPool):
    """A pool that does with each task what the test says."""

    def __init__(self, make: Making) -> None:
        super().__init__(PoolLimits())
        self.make = make

    async def run(self, task: Task, report: ReportCallback) -> TaskResult:
        return await self.make(task, report)

    async def load(self, model: str) -> float | None:
        raise AssertionError(model)

    def capacity(self, model: str) -> int:
        return 1 if model else 0

    def is_loaded(self, model: str) -> bool:
        return not model

    def loaded(self) -> tuple[LoadedModel, ...]:
        return ()

    def problem(self) -> str | None:
        return None

    async def close(self, drain_seconds: float) -> None:
        del drain_seconds


class Trial:
    """One job worked on by a dispatcher over a scripted pool; ``ends`` is what it tells."""

    def __init__(self, folder: Path, make: Making) -> None:
        self.database = open_database(Settings(data_dir=folder))
        self.store, self.ends = JobStore(self.database, 10), list[JobEnd]()
        results, queue = ResultFiles(folder / "results"), JobQueue(self.database)
        self.pool, self.changes = ScriptedPool(make), JobEvents()
        self.dispatcher = Dispatcher(queue, WorkerRegistry(self.database), results, self.pool, self.changes)
        self.dispatcher.listen(self.ends.append)
        self.job = self.store.submit(asked(dialect="replicate")).job

    def work(self, is_over: Callable[[], bool]) -> list[JobEnd]:
        async def act() -> None:
            working = asyncio.create_task(self.dispatcher.run())
            while not is_over():
                await asyncio.sleep(0.005)
            await self.dispatcher.close()
            await working

        try:
            asyncio.run(asyncio.wait_for(act(), 30))
        finally:
            self.database.close()
        return self.ends


async def good(task: Task, report: ReportCallback) -> TaskResult:
    report(ProgressReport(running=False, stage="loading"))
    report(ProgressReport(running=True, loaded_seconds=2.5))
    report(ProgressReport(running=True, fraction=0.5, stage="playing"))
    task.path.write_bytes(b"music")
    return TaskResult(task.path, 10.0, 8000, 1, {"settings": {"codes": 2000}})


async def buggy(task: Task, report: ReportCallback) -> TaskResult:
    report(ProgressReport(running=True))
    raise TaskFailed("InternalError", f"no {task.model}", is_mistake=False, trace="Traceback: line 7")


async def mistaken(_: Task, __: ReportCallback) -> TaskResult:
    raise TaskFailed("InvalidRequest", "prompt: must rhyme", is_mistake=True)


async def crashing(_: Task, __: ReportCallback) -> TaskResult:
    raise RunnerCrashed("the runner of composer ended with exit code 3")


async def endless(_: Task, report: ReportCallback) -> TaskResult:
    report(ProgressReport(running=True))
    await asyncio.Event().wait()
    raise AssertionError


def test_a_job_that_is_made_tells_its_times_its_sound_and_what_was_drawn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trial = Trial(tmp_path, good)
    with caplog.at_level(logging.INFO, "tunesmith"):
        (end,) = trial.work(lambda: bool(trial.ends))
    assert (end.model, end.dialect, end.outcome, end.kind) == ("composer", "replicate", Outcome.SUCCEEDED, None)
    assert (end.load_seconds, end.audio_seconds, end.codes) == (2.5, 10.0, 2000)
    assert end.wait_seconds >= 0
    assert end.generate_seconds is not None
    assert [record.message for record in caplog.records] == ["job started", "job succeeded"]
    assert {vars(record)["job_id"] for record in caplog.records} == {trial.job.id}
    assert vars(caplog.records[1])["audio_seconds"] == 10.0


def test_a_report_that_is_written_after_the_end_does_not_undo_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, heard = threading.Event(), threading.Event()
    running, succeed = JobQueue.running, JobQueue.succeed

    def late(*arguments: Any) -> bool:
        assert ended.wait(60)
        return running(*arguments)

    def slowly(*arguments: Any) -> Job | None:
        job = succeed(*arguments)
        ended.set()
        assert heard.wait(60)
        return job

    monkeypatch.setattr(JobQueue, "running", late)
    monkeypatch.setattr(JobQueue, "succeed", slowly)
    trial = Trial(tmp_path, good)
    trial.changes.subscribe(lambda *_: heard.set() if ended.is_set() else None)
    (end,) = trial.work(lambda: bool(trial.ends))
    assert end.outcome is Outcome.SUCCEEDED


def test_a_bug_is_logged_with_its_trace_and_a_mistake_of_the_caller_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for make, level, trace in ((buggy, "ERROR", "Traceback: line 7"), (mistaken, "WARNING", None)):
        caplog.clear()
        trial = Trial(tmp_path / level, make)
        with caplog.at_level(logging.INFO, "tunesmith"):
            (end,) = trial.work(lambda: bool(trial.ends))  # noqa: B023
        record = caplog.records[-1]
        assert (record.message, record.levelname) == ("job failed", level)
        assert vars(record).get("exception") == trace
        assert end.outcome is Outcome.FAILED
        assert end.kind == vars(record)["kind"]
        assert trial.job.id == vars(record)["job_id"]


def test_one_whose_runner_dies_is_requeued_once_and_then_failed(tmp_path: Path) -> None:
    trial = Trial(tmp_path, crashing)
    ends = trial.work(lambda: len(trial.ends) == 2)
    assert [(end.outcome, end.kind) for end in ends] == [(Outcome.REQUEUED, None), (Outcome.FAILED, "Crashed")]


@pytest.mark.parametrize("ending", ["failed", "crashed", "canceled", "released"])
def test_one_that_ends_early_breaks_its_stream_and_leaves_no_file(tmp_path: Path, ending: str) -> None:
    heard: list[bytes | None] = []

    async def listening(stream: JobStream) -> None:
        chunks = stream.chunks()
        try:
            while True:
                heard.append(await anext(chunks))
        except StreamBroken:
            heard.append(None)

    async def streaming(task: Task, report: ReportCallback) -> TaskResult:
        stream_path(task.path).write_bytes(b"sound")
        for said in (StreamReport(metadata={}), StreamReport(5)):
            report(ProgressReport(running=True, stream=said))
        stream = trial.dispatcher.streams.find(task.id)
        assert stream is not None
        listeners.append(asyncio.create_task(listening(stream)))
        await asyncio.sleep(0.01)
        if ending == "canceled":
            await asyncio.to_thread(trial.store.cancel, task.id)
            trial.dispatcher.wake(task.id)
        return await {"failed": buggy, "crashed": crashing}.get(ending, endless)(task, report)

    trial, listeners = Trial(tmp_path, streaming), list[asyncio.Task[None]]()
    trial.work(lambda: None in heard or (ending == "released" and bool(heard)))
    assert heard[:2] == [b"sound", None]
    assert not list(tmp_path.rglob("*.stream.*"))


def test_one_that_is_canceled_is_stopped_and_one_whose_server_ends_is_released(tmp_path: Path) -> None:
    begun: list[str] = []

    async def noting(task: Task, report: ReportCallback) -> TaskResult:
        begun.append(task.id)
        return await endless(task, report)

    (end,) = Trial(tmp_path / "released", noting).work(lambda: bool(begun))
    assert end.outcome is Outcome.RELEASED
    stopped = Trial(tmp_path / "stopped", endless)

    async def cancelling(task: Task, report: ReportCallback) -> TaskResult:
        await asyncio.to_thread(stopped.store.cancel, task.id)
        stopped.dispatcher.wake(task.id)
        return await endless(task, report)

    stopped.pool.make = cancelling
    (end,) = stopped.work(lambda: bool(stopped.ends))
    assert (end.outcome, end.audio_seconds) == (Outcome.STOPPED, 0.0)


def test_what_is_finished_too_late_counts_as_stopped(tmp_path: Path) -> None:
    trial = Trial(tmp_path, good)

    async def late(task: Task, report: ReportCallback) -> TaskResult:
        await asyncio.to_thread(trial.store.cancel, task.id)
        report(ProgressReport(running=False))
        task.path.write_bytes(b"music")
        return TaskResult(task.path, 10.0, 8000, 1, {})

    trial.pool.make = late
    (end,) = trial.work(lambda: bool(trial.ends))
    assert (end.outcome, end.audio_seconds, end.codes) == (Outcome.STOPPED, 0.0, 0)
