"""What passes between a runner and its parent: whatever comes, no task waits for ever and no place is lost."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import psutil
import pytest
import strange_generators

from tunesmith.errors import RunnerCrashed, TaskFailed
from tunesmith.jobs.runners import worker_process as process
from tunesmith.jobs.runners.local_pool import LocalPool, PoolLimits
from tunesmith.jobs.runners.protocol import (
    MAX_LINE_BYTES,
    MAX_MESSAGE,
    MAX_STAGE,
    REPLACEMENT,
    InvalidMessage,
    decode,
    encode,
    shortened,
)
from tunesmith.jobs.runners.tasks import ProgressReport, Task, TaskResult
from tunesmith.request import GenerationRequest

READY = """echo '{"ready":1}'\n"""
TAKE_A_TASK = """IFS= read -r line; task=${line#*'"task":"'}; task=${task%%'"'*}\n"""
CLOSED = "exec 1>&-"
LIVE_ON = "\nexec sleep 60\n"
MUCH = "head -c 17000000 /dev/zero | tr '\\0' "


def answer(duration: str = "1", more: str = "") -> str:
    sound = f'"duration":{duration},"sample_rate":8000,"channels":1,"metadata":{{}}{more}'
    return f"""printf '{{"made":"%s",{sound}}}\\n' "$task"\n"""


BREACHES = {
    "a line of 17 MB": f"{MUCH} x; echo",
    "17 MB without an end": f"{MUCH} x",
    "an answer of 17 MB": f"""printf '{{"progress":"%s","stage":"' "$task"; {MUCH} x; echo '"}}'""",
    "binary garbage": "printf '\\377\\376\\000\\001\\n'",
    "broken JSON": """echo '{"made":'""",
    "JSON nested too deeply": "head -c 100000 /dev/zero | tr '\\0' '['; echo",
    "an empty line": "echo",
    "a number": "echo 7",
    "null": "echo null",
    "a list": "echo '[]'",
    "no kind": "echo '{}'",
    "an unknown kind": """echo '{"surprise":1}'""",
    "the failure of a task it was not given": (
        """echo '{"failed":"x","kind":"","message":"","mistake":true,"trace":""}'"""
    ),
    "progress of a task it was not given": """echo '{"progress":"x","fraction":0.1,"stage":""}'""",
    "a task that is a list": """echo '{"made":[],"duration":1,"sample_rate":1,"channels":1,"metadata":{}}'""",
    "half an answer": """printf '{"made":"%s"}\\n' "$task\"""",
    "text for a number": answer('"1"'),
    "a length that is no number": answer("NaN"),
    "a negative length": answer("-1"),
    "one field too many": answer(more=',"extra":1'),
    "ready a second time": READY,
    "unloadable once it is loaded": """echo '{"unloadable":true,"kind":"","message":"","mistake":true,"trace":""}'""",
    "silence that is no number": """echo '{"quiet":"x"}'""",
    "no more output": CLOSED,
    "an end": "exit 4",
}


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WATCH_SECONDS", 0.1)
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))


def play(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every runner be a shell that says what the script says."""
    if CLOSED in script or "exit" in script:
        monkeypatch.setattr(process, "EXIT_SECONDS", 0.5)  # these wait for it
    shell = folder / "runner"
    shell.write_text(f"#!/bin/sh\necho $$ >>{folder}/processes\n{script}{LIVE_ON}", encoding="utf-8")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))


@contextlib.asynccontextmanager
async def a_pool(**limits: int) -> AsyncIterator[LocalPool]:
    pool = LocalPool(PoolLimits(**limits))
    try:
        yield pool
    finally:
        await pool.close(0)


def make(pool: LocalPool, folder: Path, prompt: str = "calm piano", model: str = "composer") -> Awaitable[TaskResult]:
    request = GenerationRequest.checked(prompt=prompt, model=model, seed=1, duration=1)
    return pool.run(Task("a", model, request, folder / "a.wav"), lambda _: None)


@pytest.mark.parametrize("breach", BREACHES.values(), ids=BREACHES)
def test_a_runner_that_breaks_the_protocol_is_ended_and_its_task_and_place_are_freed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breach: str
) -> None:
    play(READY + TAKE_A_TASK + breach, tmp_path, monkeypatch)

    async def act() -> None:
        async with asyncio.timeout(60), a_pool(composers=1) as pool:
            for _ in range(2):  # in the one place there is
                with pytest.raises(RunnerCrashed):
                    await make(pool, tmp_path)
            assert pool.loaded() == ()

    asyncio.run(act())
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 2
    assert not any(psutil.pid_exists(int(process)) for process in processes)


@pytest.mark.parametrize("said", ["echo nonsense", READY.replace("1", "0"), READY.replace("1", '"1"'), CLOSED])
def test_a_runner_that_breaks_the_protocol_while_it_loads_is_no_place_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    play(said, tmp_path, monkeypatch)

    async def act() -> None:
        async with asyncio.timeout(60), a_pool(composers=1) as pool:
            with pytest.raises(RunnerCrashed):
                await make(pool, tmp_path)
            with pytest.raises(RunnerCrashed):
                await pool.load("composer")

    asyncio.run(act())


def test_a_second_answer_ends_the_runner_but_not_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(READY + TAKE_A_TASK + answer() + answer(), tmp_path, monkeypatch)

    async def act() -> None:
        async with asyncio.timeout(60), a_pool(composers=1) as pool:
            assert (await make(pool, tmp_path)).duration == 1
            while pool.loaded():
                await asyncio.sleep(0.001)
            assert (await make(pool, tmp_path)).duration == 1

    asyncio.run(act())


def test_whoever_else_holds_a_runner_s_pipes_does_not_keep_its_end_from_being_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(f"sleep 5 &\necho $! > {tmp_path}/other\n{READY}{TAKE_A_TASK}exit 3", tmp_path, monkeypatch)

    async def act() -> None:
        began = time.monotonic()
        async with a_pool(composers=1) as pool:
            with pytest.raises(RunnerCrashed):
                await make(pool, tmp_path)
        assert time.monotonic() - began < 4
        psutil.Process(int((tmp_path / "other").read_text())).kill()
        await asyncio.sleep(0.05)  # its pipes are closed

    asyncio.run(act())


def test_a_task_too_long_for_a_message_fails_alone(tmp_path: Path) -> None:
    async def act() -> None:
        async with a_pool(composers=1) as pool:
            request = GenerationRequest.model_construct(prompt="x" * MAX_LINE_BYTES, model="prompt")
            with pytest.raises(TaskFailed, match=f"request: must be at most {MAX_LINE_BYTES} bytes as JSON") as caught:
                await pool.run(Task("a", "prompt", request, tmp_path / "a.wav"), lambda _: None)
            assert caught.value.is_mistake
            (runner,) = pool.loaded()
            assert (await make(pool, tmp_path, model="prompt")).metadata["process"] == runner.process_id

    asyncio.run(act())


def test_what_a_generator_says_is_shortened_and_what_cannot_be_said_fails_its_task_alone(tmp_path: Path) -> None:
    kinds = {
        "error": "InvalidRequest", "bug": "InternalError", "exit": "InternalError", "unspeakable": "Unspeakable",
        "long": "InternalError", "nan": "InternalError", "object": "InternalError",
    }  # fmt: skip

    async def act() -> None:
        async with a_pool(batch_rows=2) as pool:
            for prompt, kind in kinds.items():
                with pytest.raises(TaskFailed) as caught:
                    await make(pool, tmp_path, prompt, "wordy")
                assert caught.value.kind == kind
                assert len(str(caught.value)) <= MAX_MESSAGE
            reports: list[ProgressReport] = []
            request = GenerationRequest.checked(prompt="stage", model="wordy", seed=1)
            made = await pool.run(Task("b", "wordy", request, tmp_path / "b.wav"), reports.append)
            assert max(len(report.stage) for report in reports) == MAX_STAGE
            (runner,) = pool.loaded()
            assert made.metadata["process"] == runner.process_id

    asyncio.run(act())


def test_characters_that_no_database_stores_are_replaced() -> None:
    said = {"x\ud800": ["\udc00y", "\0", "\N{MUSICAL NOTE}", 1, None], "plain": "é"}
    replaced = {f"x{REPLACEMENT}": [f"{REPLACEMENT}y", REPLACEMENT, "\N{MUSICAL NOTE}", 1, None], "plain": "é"}
    assert decode(encode(said)) == replaced


def test_a_message_is_never_longer_than_what_is_read() -> None:
    empty = len(encode({"a": ""}))
    assert len(encode({"a": "x" * (MAX_LINE_BYTES - empty)})) == MAX_LINE_BYTES
    with pytest.raises(InvalidMessage):
        encode({"a": "x" * (MAX_LINE_BYTES - empty + 1)})


@pytest.mark.parametrize(("text", "expected"), [("abc", "abc"), ("abcd", "ab…"), ("\ud800", "?")])
def test_a_text_is_cut_to_what_fits_and_to_characters_that_there_are(text: str, expected: str) -> None:
    assert shortened(text, 3) == expected
