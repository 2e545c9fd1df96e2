"""``tunesmith serve``, really started: what it loses when it is stopped or killed, and what it says while it loads."""

from __future__ import annotations

import json
import random
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import strange_generators
from models_of_tests import installed_tiny
from started_server import StartedServer, started, started_afresh, wait_for
from work import asked

from tunesmith.config import Settings
from tunesmith.jobs.job import JobState
from tunesmith.jobs.store import EVERYTHING, JobStore
from tunesmith.library.migrate import open_database

JOBS = 12
NO_WAIT = {"x-wait-for-model": "false"}


@pytest.fixture(autouse=True)
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", strange_generators.install(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    with closing(open_database(Settings(data_dir=tmp_path / "data"))) as database:
        yield JobStore(database, 500)


def states(store: JobStore) -> list[JobState]:
    """Return the states of all jobs, oldest first."""
    return [job.state for job in reversed(store.list(EVERYTHING).jobs)]


def music(
    server: StartedServer, model: str, prompt: str, seconds: float = 1, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    body = {"inputs": prompt, "parameters": {"duration": seconds, "seed": 1}}
    return httpx.post(f"{server.url}/models/{model}", json=body, headers=headers, timeout=60)


def test_a_server_asked_to_stop_lets_its_jobs_finish(tmp_path: Path, store: JobStore) -> None:
    gate = tmp_path / "gate"
    with started_afresh(tmp_path / "data", drain_seconds="30") as server:
        store.submit(asked(model="patient", prompt=str(gate)))
        wait_for(lambda: states(store) == [JobState.RUNNING], "the job to run")
        server.signal(signal.SIGTERM)
        wait_for(lambda: "Shutting down" in server.log, "the server to begin to end")
        gate.touch()
        server.gone()
        assert states(store) == [JobState.SUCCEEDED]


def test_a_server_asked_to_stop_gives_back_what_does_not_finish(tmp_path: Path, store: JobStore) -> None:
    gate = tmp_path / "gate"
    for _ in range(3):
        store.submit(asked(model="patient", prompt=str(gate)))
    for _ in range(2):
        with started(tmp_path / "data", drain_seconds="0") as server:
            wait_for(lambda: states(store) == [JobState.RUNNING] * 3, "the jobs to run")
            server.signal(signal.SIGTERM)
            server.gone()
            assert states(store) == [JobState.QUEUED] * 3
    gate.touch()
    with started(tmp_path / "data"):
        wait_for(lambda: states(store) == [JobState.SUCCEEDED] * 3, "the jobs to be made")
    assert {job.attempts for job in store.list(EVERYTHING).jobs} == {1}


def test_a_caller_whose_music_is_not_ready_at_the_end_of_the_server_is_told_to_come_back_and_keeps_the_job(
    tmp_path: Path, store: JobStore
) -> None:
    with started(tmp_path / "data", drain_seconds="0") as server, ThreadPoolExecutor(1) as callers:
        answer = callers.submit(music, server, "patient", str(tmp_path / "gate"))
        wait_for(lambda: states(store) == [JobState.RUNNING], "the job to run")
        server.signal(signal.SIGTERM)
        server.gone()
        told = answer.result()
        assert (told.status_code, told.headers["retry-after"]) == (503, "5")
        assert told.json()["error"].startswith("the server is stopping")
        assert states(store) == [JobState.QUEUED]
        assert "Traceback" not in server.log


def test_whoever_follows_a_job_is_let_go_at_the_end_of_the_server_without_a_fault(
    tmp_path: Path, store: JobStore
) -> None:
    with started(tmp_path / "data", drain_seconds="0") as server, httpx.Client(base_url=server.url) as client:
        body = {"prompt": str(tmp_path / "gate"), "model": "patient", "duration": 1}
        job_id = client.post("/api/jobs", json=body).json()["id"]
        wait_for(lambda: states(store) == [JobState.RUNNING], "the job to run")
        with client.stream("GET", f"/api/jobs/{job_id}/events", timeout=30) as events:
            lines = events.iter_lines()
            assert next(lines).startswith("event: ")
            server.signal(signal.SIGTERM)
            assert not any(line == "event: done" for line in lines)
        server.gone()
        assert states(store) == [JobState.QUEUED]
        assert "Traceback" not in server.log
        assert " error " not in server.log


def test_an_assistant_s_call_that_the_server_s_end_cuts_short_keeps_its_job(tmp_path: Path, store: JobStore) -> None:
    wish = {"prompt": str(tmp_path / "gate"), "model": "patient", "duration": 1}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "generate_music", "arguments": wish}}
    headers = {"accept": "application/json, text/event-stream"}
    with started(tmp_path / "data", drain_seconds="0") as server, ThreadPoolExecutor(1) as callers:
        callers.submit(httpx.post, f"{server.url}/mcp", json=call, headers=headers, timeout=60)
        wait_for(lambda: states(store) == [JobState.RUNNING], "the job to run")
        server.signal(signal.SIGTERM)
        server.gone()
        assert states(store) == [JobState.QUEUED]


def test_a_prediction_that_is_waited_for_is_still_starting_at_the_end_of_the_server(
    tmp_path: Path, store: JobStore
) -> None:
    with started(tmp_path / "data", drain_seconds="0") as server, ThreadPoolExecutor(1) as callers:
        body = {"version": "tunesmith/patient", "input": {"prompt": str(tmp_path / "gate"), "duration": 1}}
        url = f"{server.url}/v1/predictions"
        answer = callers.submit(httpx.post, url, json=body, headers={"prefer": "wait"}, timeout=60)
        wait_for(lambda: states(store) == [JobState.RUNNING], "the job to run")
        server.signal(signal.SIGTERM)
        server.gone()
        assert (answer.result().status_code, answer.result().json()["status"]) == (201, "starting")
        assert states(store) == [JobState.QUEUED]


@pytest.mark.parametrize("seed", range(1))
def test_killing_servers_and_runners_at_any_moment_loses_no_job(tmp_path: Path, store: JobStore, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(JOBS):
        submission = asked(model="composer" if number % 3 else "prompt", prompt=f"calm piano {number}")
        store.submit(replace(submission, request=submission.request.model_copy(update={"duration": 3.0})))
    for _ in range(3):
        with started(tmp_path / "data", composer_processes="2"):
            done = states(store).count(JobState.SUCCEEDED)
            target = min(JOBS, done + chance.randint(0, 3))
            wait_for(lambda: states(store).count(JobState.SUCCEEDED) >= target, "jobs to be made")  # noqa: B023
    with started(tmp_path / "data", composer_processes="2") as server:
        wait_for(server.runners, "a runner")
        chance.choice(server.runners()).kill()
        wait_for(lambda: set(states(store)) == {JobState.SUCCEEDED}, "all jobs to be made")
    jobs = store.list(EVERYTHING).jobs
    assert len(jobs) == JOBS
    assert all(job.result and (tmp_path / "data/results" / job.result.digest[:2] / job.result.digest).exists()
               for job in jobs)  # fmt: skip


def test_whoever_hangs_up_has_the_job_cancelled_even_while_its_model_is_loading(
    tmp_path: Path, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "gate"))
    with started(tmp_path / "data") as server:
        for model, state in (("slow", JobState.LOADING), ("patient", JobState.RUNNING)):
            body = json.dumps({"inputs": str(tmp_path / "never")}).encode()
            head = f"POST /models/{model} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            host, port = server.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as caller:
                caller.sendall(head.encode() + body)
                wait_for(lambda: states(store)[-1:] == [state], f"{state} of {model}")  # noqa: B023
            wait_for(lambda: states(store)[-1] is JobState.CANCELED, "the end of a job that nobody wants")
        (tmp_path / "gate").touch()
        assert music(server, "slow", "calm piano").status_code == 200


def test_a_caller_who_does_not_wait_for_the_model_comes_back_and_gets_music(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    monkeypatch.setenv(strange_generators.GATE, str(gate))
    with started(tmp_path / "data", keep_alive="0") as server:
        began = time.monotonic()
        loading = music(server, "slow", "calm piano", headers=NO_WAIT)
        assert time.monotonic() - began >= 1.0
        assert loading.status_code == 503
        answer = loading.json()
        assert answer["error"] == "Model slow is currently loading"
        assert answer["estimated_time"] >= 1.0
        assert int(loading.headers["retry-after"]) >= answer["estimated_time"]
        assert set(answer) == {"error", "estimated_time"}
        gate.touch()
        while (made := music(server, "slow", "calm piano", headers=NO_WAIT)).status_code == 503:
            assert time.monotonic() - began < 60
        assert made.headers["content-type"] == "audio/wav"


def test_a_server_set_so_makes_nobody_wait_for_a_model_but_who_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(strange_generators.GATE, str(tmp_path / "gate"))
    body = {"inputs": "calm piano", "options": {"wait_for_model": True}}
    with started(tmp_path / "data", cold_start="503") as server, ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(httpx.post, f"{server.url}/models/slow", json=body, timeout=60)
        assert music(server, "slow", "calm piano").status_code == 503
        assert not waiting.done()
        (tmp_path / "gate").touch()
        assert waiting.result().status_code == 200


def test_eight_callers_share_the_batch_of_one_runner_and_hear_what_each_would_alone(
    tmp_path: Path, store: JobStore
) -> None:
    installed_tiny(tmp_path / "tiny", tmp_path / "data")
    prompts = ["slow piano", "fast drum", "happy song", "sad music", "rock", "a piano and a drum", "slow rock", "song"]

    def together() -> bool:
        jobs = store.list(EVERYTHING).jobs
        return len(jobs) == 8 and all(job.state is JobState.RUNNING and 0.1 < job.progress < 0.9 for job in jobs)

    with started(tmp_path / "data") as server, ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(music, server, "tiny", prompt, 10) for prompt in prompts]
        wait_for(lambda: together() or all(answer.done() for answer in answers), "eight jobs under way")
        assert not any(answer.done() for answer in answers)
        assert len(server.runners()) == 1
        heard = [answer.result().content for answer in answers]
    with started(tmp_path / "data", batch_rows="2") as server:
        assert [music(server, "tiny", prompt, 10).content for prompt in prompts[:2]] == heard[:2]
    assert len(set(heard)) == 8
