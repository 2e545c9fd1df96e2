"""Runners: real processes that load, make, fail, hang and die."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
import strange_generators
from models_of_tests import installed_tiny

from tunesmith.audio.reader import read_audio
from tunesmith.errors import RunnerCrashed, TaskFailed
from tunesmith.jobs.job import FOREVER
from tunesmith.jobs.runners import local_pool as local
from tunesmith.jobs.runners import worker_process as process
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.runners.tasks import ProgressReport, Task, TaskResult
from tunesmith.jobs.runners.worker_process import RunnerProcess, Timeouts
from tunesmith.request import GenerationRequest


@pytest.fixture(autouse=True)
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))


@dataclass
class Room:
    """Memory for so many models, of 100 bytes each; a ``large`` one takes two places."""

    models: int
    large: str = ""
    was_short: bool = False
    pool: LocalPool | None = None

    def needed(self, model: str, places: int) -> int:
        del places
        return 200 if model == self.large else 100

    def available(self) -> int:
        assert self.pool
        left = self.total() - 100 * len(self.pool.loaded())
        self.was_short |= left == 0
        return left

    def total(self) -> int:
        return 100 * self.models


@contextlib.asynccontextmanager
async def a_pool(memory: Room | None = None, **limits: float) -> AsyncIterator[LocalPool]:
    pool = LocalPool(PoolLimits(**limits), memory)  # type: ignore[arg-type]
    if memory:
        memory.pool = pool
    try:
        yield pool
    finally:
        await pool.close(0)


def task(folder: Path, model: str, prompt: str = "calm piano", name: str = "a", duration: float = 1) -> Task:
    request = GenerationRequest.checked(prompt=prompt, model=model, seed=1, duration=duration)
    return Task(name, model, request, folder / f"{name}.wav")


def run(act: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine, and fail rather than hang."""
    asyncio.run(asyncio.wait_for(act(), 60))


def nobody(_: ProgressReport) -> None:
    """Take a report that is of no interest."""


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_the_composer_makes_a_file_and_says_how_far_it_is(tmp_path: Path) -> None:
    async def act() -> None:
        reports: list[ProgressReport] = []
        async with a_pool() as pool:
            made = await pool.run(task(tmp_path, "composer"), reports.append)
        assert (made.duration, made.sample_rate, made.channels) == (1.0, 44100, 2)
        assert read_audio(made.path).duration == 1.0
        assert made.metadata["seed"] == 1
        assert not reports[0].running
        assert [one.loaded_seconds is not None for one in reports].count(True) == 1
        fractions = [one.fraction for one in reports if one.running]
        assert fractions == sorted(fractions)

    run(act)


def test_a_loaded_model_is_used_again_and_shown(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool() as pool:
            made = [await pool.run(task(tmp_path, "prompt", name=name), lambda _: None) for name in "ab"]
            (loaded,) = pool.loaded()
            assert {one.metadata["process"] for one in made} == {loaded.process_id}
            assert loaded.model == "prompt"
            assert loaded.memory_bytes > 10**7
            assert loaded.expires_in is not None
            assert 0 < loaded.expires_in <= 300

    run(act)


def test_tasks_of_one_neural_model_share_its_process_and_run_at_once(tmp_path: Path) -> None:
    async def act() -> None:
        gate = tmp_path / "gate"
        async with a_pool(batch_rows=6) as pool:
            waiting = [
                asyncio.create_task(pool.run(task(tmp_path, "patient", str(gate), name), lambda _: None))
                for name in "abcd"
            ]
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].busy == 3)
            gate.touch()
            made = await asyncio.gather(*waiting)
            assert len({one.metadata["process"] for one in made}) == 1

    run(act)


def test_the_composer_has_several_processes_with_one_task_each(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(composers=2) as pool:
            await asyncio.gather(*(pool.run(task(tmp_path, "composer", name=n), lambda _: None) for n in "abc"))
            assert len(pool.loaded()) == 2

    run(act)


def test_a_composer_that_holds_too_much_memory_is_replaced_between_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(local, "MAX_COMPOSER_BYTES", 1)

    async def act() -> None:
        async with a_pool(composers=1) as pool:
            first = await pool.run(task(tmp_path, "composer"), nobody)
            (before,) = (vars(record)["process_id"] for record in caplog.records if "is replaced" in record.message)
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].loading_for is None)  # before it is needed
            (after,) = pool.loaded()
            assert after.process_id != before
            monkeypatch.setattr(local, "MAX_COMPOSER_BYTES", 10**12)
            reports: list[ProgressReport] = []
            again = await pool.run(task(tmp_path, "composer", name="b"), reports.append)
            assert again.path.read_bytes() == first.path.read_bytes()
            assert all(report.loaded_seconds is None for report in reports)
            assert [one.process_id for one in pool.loaded()] == [after.process_id]
            assert not psutil.pid_exists(before)

    run(act)


@pytest.mark.parametrize(("model", "kind", "is_mistake", "words"), [
    ("mistaken", "InvalidRequest", True, "prompt: must rhyme"),
    ("raising", "InternalError", False, "internal error"),
    ("greedy", "OutOfResources", False, "not enough memory to generate this"),
    ("unloadable", "ModelNotInstalled", False, "tunesmith pull unloadable"),
    ("nonsuch", "UnknownName", True, "there is no model called 'nonsuch'"),
])  # fmt: skip
def test_what_fails_is_told_by_kind(tmp_path: Path, model: str, kind: str, is_mistake: bool, words: str) -> None:
    async def act() -> None:
        async with a_pool() as pool:
            with pytest.raises(TaskFailed, match=words) as caught:
                await pool.run(task(tmp_path, model), lambda _: None)
        assert (caught.value.kind, caught.value.is_mistake) == (kind, is_mistake)
        assert "secret" not in str(caught.value)
        assert not (tmp_path / "a.wav").exists()

    run(act)


def test_a_crash_is_told_and_another_try_gets_a_new_process(tmp_path: Path) -> None:
    async def act() -> None:
        gate = tmp_path / "gate"
        async with a_pool() as pool:
            with pytest.raises(RunnerCrashed, match="exit code 3"):
                await pool.run(task(tmp_path, "crashing", str(gate)), lambda _: None)
            gate.touch()
            assert isinstance(await pool.run(task(tmp_path, "crashing", str(gate)), lambda _: None), TaskResult)

    run(act)


def test_what_libraries_print_does_not_come_between_the_messages(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool() as pool:
            assert (await pool.run(task(tmp_path, "talkative"), lambda _: None)).duration == 0.1

    run(act)


def test_cancelling_leaves_the_process_and_its_other_tasks_alone(tmp_path: Path) -> None:
    async def act() -> None:
        gate = tmp_path / "gate"
        async with a_pool() as pool:
            first, second = (
                asyncio.create_task(pool.run(task(tmp_path, "patient", str(gate), name), lambda _: None))
                for name in "ab"
            )
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].busy == 2)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            gate.touch()
            assert (await second).duration == 0.1

    run(act)


def test_one_that_does_not_hear_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CANCEL_SECONDS", 0.1)

    async def act() -> None:
        reports: list[ProgressReport] = []
        async with a_pool() as pool:
            deaf = asyncio.create_task(pool.run(task(tmp_path, "deaf"), reports.append))
            await until(lambda: any(report.stage == "deaf" for report in reports))
            (loaded,) = pool.loaded()
            deaf.cancel()
            with pytest.raises(asyncio.CancelledError):
                await deaf
            await until(lambda: not psutil.pid_exists(loaded.process_id))

    run(act)


def test_a_process_that_is_silent_is_taken_for_hung(tmp_path: Path) -> None:
    async def act() -> None:
        runner = RunnerProcess("patient", patience=Timeouts(silent=1.5))
        await runner.start()
        work = asyncio.create_task(runner.run(task(tmp_path, "patient", str(tmp_path / "never")), lambda _: None))
        await until(lambda: runner.busy == 1 and runner.memory_bytes() > 0)
        os.kill(runner.process_id, signal.SIGSTOP)
        with pytest.raises(RunnerCrashed):
            await work
        await runner.stop()

    run(act)


@pytest.mark.parametrize(("keep_alive", "stays"), [(0, False), (FOREVER, True)])
def test_an_idle_runner_stays_as_long_as_it_is_to(tmp_path: Path, keep_alive: float, stays: bool) -> None:
    async def act() -> None:
        async with a_pool(keep_alive=keep_alive) as pool:
            await pool.run(task(tmp_path, "prompt"), lambda _: None)
            assert [one.expires_in for one in pool.loaded()] == [None] * stays

    run(act)


def test_an_idle_runner_leaves_when_its_time_is_up(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(keep_alive=0.1) as pool:
            await pool.run(task(tmp_path, "prompt"), lambda _: None)
            await until(lambda: not pool.loaded())

    run(act)


def test_where_memory_is_short_the_least_recently_used_leaves_first(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(memory=Room(2)) as pool:
            for model in ("prompt", "talkative", "prompt", "patient"):
                (tmp_path / "gate").touch()
                await pool.run(task(tmp_path, model, str(tmp_path / "gate")), lambda _: None)
            assert {one.model for one in pool.loaded()} == {"prompt", "patient"}

    run(act)


def test_a_model_that_can_never_fit_is_refused_with_the_numbers_and_nobody_leaves_for_it(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(memory=Room(1, large="talkative")) as pool:
            await pool.run(task(tmp_path, "prompt"), lambda _: None)
            words = "not enough memory for talkative: it needs about 200 bytes, and 100 bytes is available"
            with pytest.raises(TaskFailed, match=words) as caught:
                await pool.run(task(tmp_path, "talkative"), lambda _: None)
            assert (caught.value.kind, caught.value.is_mistake) == ("OutOfResources", False)
            assert [one.model for one in pool.loaded()] == ["prompt"]

    run(act)


def test_a_model_waits_for_memory_until_a_busy_one_is_done_and_is_not_passed_by_its_later_tasks(tmp_path: Path) -> None:
    async def act() -> None:
        gates, room = [tmp_path / name for name in "ab"], Room(1)
        ended: list[str] = []

        async def work(model: str, gate: Path, name: str) -> None:
            await pool.run(task(tmp_path, model, str(gate), name), lambda _: None)
            ended.append(name)

        async with a_pool(memory=room) as pool:
            tasks = [asyncio.create_task(work("patient", gates[0], "first"))]
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].busy == 1)
            tasks.append(asyncio.create_task(work("prompt", gates[0], "other model")))
            await until(lambda: room.was_short)
            tasks.append(asyncio.create_task(work("patient", gates[1], "later")))
            gates[0].touch()
            gates[1].touch()
            await asyncio.gather(*tasks)
            assert ended == ["first", "other model", "later"]

    run(act)


def test_whoever_gives_up_waiting_for_memory_lets_the_others_go_on(tmp_path: Path) -> None:
    async def act() -> None:
        gate, room = tmp_path / "gate", Room(1)
        async with a_pool(memory=room) as pool:
            first = asyncio.create_task(pool.run(task(tmp_path, "patient", str(gate)), lambda _: None))
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].busy == 1)
            hungry = asyncio.create_task(pool.run(task(tmp_path, "prompt", name="b"), lambda _: None))
            await until(lambda: room.was_short)
            later = asyncio.create_task(pool.run(task(tmp_path, "patient", str(gate), "c"), lambda _: None))
            hungry.cancel()
            await until(lambda: pool.loaded()[0].busy == 2)
            gate.touch()
            await asyncio.gather(first, later)

    run(act)


def test_how_long_a_model_stays_is_the_last_task_s_wish(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool() as pool:
            await pool.run(replace(task(tmp_path, "prompt"), keep_alive=FOREVER), lambda _: None)
            assert [one.expires_in for one in pool.loaded()] == [None]
            await pool.run(replace(task(tmp_path, "prompt"), keep_alive=50), lambda _: None)
            (loaded,) = pool.loaded()
            assert loaded.expires_in is not None
            assert 40 < loaded.expires_in <= 50
            await pool.run(replace(task(tmp_path, "prompt"), keep_alive=0), lambda _: None)
            assert not pool.loaded()

    run(act)


def test_a_model_is_loaded_ahead_once_and_stays_for_those_to_come(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(keep_alive=0) as pool:
            took = await asyncio.gather(*(pool.load("prompt") for _ in range(3)))
            assert [seconds is not None for seconds in took].count(True) == 1
            (loaded,) = pool.loaded()
            assert loaded.loading_for is None
            assert loaded.expires_in is not None
            assert loaded.expires_in > 60
            reports: list[ProgressReport] = []
            await pool.run(task(tmp_path, "prompt"), reports.append)
            assert all(report.running and report.loaded_seconds is None for report in reports)

    run(act)


def test_whoever_gives_up_while_a_model_is_loading_leaves_it_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "gate"))
    monkeypatch.setattr(process, "CANCEL_SECONDS", 0.1)

    async def act() -> None:
        reports: list[ProgressReport] = []
        async with a_pool() as pool:
            first = asyncio.create_task(pool.run(task(tmp_path, "slow"), reports.append))
            await until(lambda: bool(reports))
            (loading,) = pool.loaded()
            assert not reports[0].running
            assert loading.loading_for is not None
            second = asyncio.create_task(pool.run(task(tmp_path, "slow", name="b"), reports.append))
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            (tmp_path / "gate").touch()
            assert (await second).metadata["process"] == loading.process_id

    run(act)


def test_a_loading_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "never"))

    async def act() -> None:
        runner = RunnerProcess("slow", patience=Timeouts(loading=0.5))
        await runner.start()
        with pytest.raises(RunnerCrashed):
            await runner.run(task(tmp_path, "slow"), lambda _: None)
        await runner.stop()

    run(act)


def test_a_task_without_a_sign_of_life_is_ended_with_its_process(tmp_path: Path) -> None:
    async def act() -> None:
        runner = RunnerProcess("deaf", patience=Timeouts(stuck=0.5))
        await runner.start()
        with pytest.raises(RunnerCrashed):
            await runner.run(task(tmp_path, "deaf"), lambda _: None)
        await runner.stop()

    run(act)


def test_eight_tasks_of_a_musicgen_are_one_batch_and_sound_as_each_alone(tmp_path: Path) -> None:
    installed_tiny(tmp_path / "tiny", tmp_path / "data")
    prompts = ["slow piano", "fast drum", "happy song", "sad music", "rock", "a piano and a drum", "slow rock", "song"]

    async def make(rows: int, at_once: bool) -> tuple[list[bytes], list[float]]:
        """Return the bytes of each, and how far each was when the first was done."""
        progress, when_first = dict.fromkeys(prompts, 0.0), list[float]()

        async def one(prompt: str) -> bytes:
            # Long enough that on a busy machine all have begun well before the first is done.
            asked = task(tmp_path, "tiny", prompt, f"{prompts.index(prompt)}-{rows}", duration=5)
            made = await pool.run(asked, lambda report: progress.update({prompt: report.fraction}))
            when_first.extend([] if when_first else progress.values())
            return made.path.read_bytes()

        async with a_pool(batch_rows=rows) as pool:
            if at_once:
                return list(await asyncio.gather(*map(one, prompts))), when_first
            return [await one(prompt) for prompt in prompts], when_first

    async def act() -> None:
        together, when_first = await make(16, at_once=True)
        assert min(when_first) > 0.5
        alone, _ = await make(2, at_once=False)
        assert together == alone
        assert len(set(alone)) == len(prompts)

    run(act)


def test_closing_lets_running_tasks_finish(tmp_path: Path) -> None:
    async def act() -> None:
        gate = tmp_path / "gate"
        async with a_pool() as pool:
            work = asyncio.create_task(pool.run(task(tmp_path, "patient", str(gate)), lambda _: None))
            await until(lambda: bool(pool.loaded()) and pool.loaded()[0].busy == 1)
            closing = asyncio.create_task(pool.close(30))
            await asyncio.sleep(0.05)
            assert not closing.done()
            gate.touch()
            await closing
            assert (await work).duration == 0.1
            assert not pool.loaded()

    run(act)


PARENT = """
import asyncio, sys
from pathlib import Path
from tunesmith.jobs.runners.worker_process import RunnerProcess
async def main():
    runner = RunnerProcess(sys.argv[1])
    await runner.start()
    print(runner.process_id, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("model", ["patient", "slow"])
def test_runners_end_with_a_parent_that_is_killed_even_while_they_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "never"))
    parent = subprocess.Popen([sys.executable, "-c", PARENT, model], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert time.monotonic() < deadline


def test_a_runner_that_starts_slowly_is_not_ended_as_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = RunnerProcess.start

    async def start_slowly(runner: RunnerProcess) -> None:
        await asyncio.sleep(0.2)
        await start(runner)

    monkeypatch.setattr(local, "REAP_SECONDS", 0.01)
    monkeypatch.setattr(RunnerProcess, "start", start_slowly)

    async def act() -> None:
        async with a_pool() as pool:
            assert await pool.run(task(tmp_path, "prompt"), nobody)

    run(act)


def test_the_event_loop_is_free_while_music_is_made(tmp_path: Path) -> None:
    async def act() -> None:
        stalls: list[float] = []

        async def tick() -> None:
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.005)
                stalls.append(time.monotonic() - before)

        ticking = asyncio.create_task(tick())
        async with a_pool() as pool:
            await asyncio.gather(*(pool.run(task(tmp_path, "prompt", name=str(n)), lambda _: None) for n in range(20)))
        ticking.cancel()
        assert sorted(stalls)[len(stalls) // 2] < 0.05

    run(act)


def test_a_pool_that_cannot_start_processes_says_so_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(pool: LocalPool) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(tmp_path / "no-python"))
            with pytest.raises(TaskFailed, match="no process could be started"):
                await pool.run(task(tmp_path, "prompt"), nobody)

    async def act() -> None:
        async with a_pool() as pool:
            assert pool.problem() is None
            await fail(pool)
            assert pool.problem() == "no process can be started: No such file or directory"
            assert pool.loaded() == ()
            monkeypatch.setattr(local, "UNSTARTABLE_SECONDS", 0.0)
            await fail(pool)
            assert pool.problem() is None
            assert await pool.run(task(tmp_path, "prompt"), nobody)

    run(act)


def test_a_composer_that_does_not_start_is_a_problem_and_another_model_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act() -> None:
        async with a_pool() as pool:
            with pytest.raises(TaskFailed):
                await pool.run(task(tmp_path, "unloadable"), nobody)
            assert pool.problem() is None
            monkeypatch.setattr(sys, "executable", shutil.which("false"))
            with pytest.raises(RunnerCrashed):
                await pool.run(task(tmp_path, "composer"), nobody)
            assert pool.problem() == "the composer cannot be started"

    run(act)


def test_what_a_process_prints_goes_to_the_log_in_lines_however_long_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    child.write_text("import sys\nsys.stderr.write('a\\rb\\n\\n' + 'c' * 100_000 + '\\nend')\n", encoding="utf-8")
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} {child}\n", encoding="utf-8")
    script.chmod(0o755)

    async def act() -> None:
        monkeypatch.setattr(sys, "executable", str(script))
        runner = RunnerProcess("chatty")
        await runner.start()
        with pytest.raises(RunnerCrashed):
            await runner.load()
        await runner.stop()

    with caplog.at_level(logging.WARNING, "tunesmith.runner"):
        run(act)
    said = [record.getMessage() for record in caplog.records]
    assert (said[:2], said[-1]) == (["a", "b"], "end")
    assert "".join(said[2:-1]) == "c" * 100_000
    assert max(map(len, said)) < 3 * process.MAX_LOG_LINE
    assert {vars(record)["model"] for record in caplog.records} == {"chatty"}
