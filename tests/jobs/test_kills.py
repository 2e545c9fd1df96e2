"""Nothing acknowledged is lost, and nothing finishes twice, when processes are killed at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import server_to_kill
from databases import Databases
from forked_python import ForkedPopen
from work import RESULT

from tunesmith.jobs.job import JobState
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore
from tunesmith.jobs.worker_registry import ProcessIdentity, WorkerRegistry
from tunesmith.library.database import Database

ROUNDS, SERVERS, MOST_LINES = 3, 2, 60


def said_before_its_death(url: str, lines: int) -> list[tuple[str, str]]:
    """Start a server, kill it with -9 while it works on after so many lines, and return all that it said."""
    command = [sys.executable, str(Path(server_to_kill.__file__)), url]
    with ForkedPopen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = [server.stdout.readline() for _ in range(lines)]
        server.kill()
        said += server.stdout.readlines()
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(what, job_id) for what, job_id in whole]


def drain(database: Database) -> None:
    """Do all the work that is left, as a server does that comes after the dead ones."""
    queue, workers = JobQueue(database), WorkerRegistry(database)
    worker = workers.join(ProcessIdentity.own())
    workers.remove_dead()
    queue.recover()
    while claim := queue.claim(worker):
        assert queue.succeed(claim, RESULT, {"worker": worker})


@pytest.mark.parametrize("seed", range(1))
def test_killed_servers_lose_no_job_and_finish_none_twice(databases: Databases, seed: int) -> None:
    chance, url = random.Random(seed), databases.new_url()
    said: list[tuple[str, str]] = []
    with databases.opened(url) as database, ThreadPoolExecutor(SERVERS) as pool:
        for _ in range(ROUNDS):
            moments = [chance.randint(1, MOST_LINES) for _ in range(SERVERS)]
            for lines in pool.map(said_before_its_death, [url] * SERVERS, moments):
                said += lines
        before = {job_id: JobStore(database, 1).get(job_id) for what, job_id in said if what == "finished"}
        drain(database)
        jobs = {job_id: JobStore(database, 1).get(job_id) for _, job_id in said}
        left = JobStore(database, 1).counts()
    assert all(job.state is JobState.SUCCEEDED for job in before.values())
    assert all(jobs[job_id] == job for job_id, job in before.items())
    assert max(Counter(job_id for what, job_id in said if what == "finished").values()) == 1
    assert {job.state for job in jobs.values()} == {JobState.SUCCEEDED}
    assert left == {}
    assert {what for what, _ in said} == {"submitted", "finished"}
