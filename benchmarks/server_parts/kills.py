"""Jobs that were acknowledged and never finished, over ten servers that end as ``kill -9`` ends them."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
from collections.abc import Iterable
from pathlib import Path

from server_parts.jobs import job_path, state_of, submit
from server_parts.running_server import RunningServer

JOBS, KILLS = 200, 10
JOB_SECONDS = (0.0, 0.4, 1.5)
LIFE_SECONDS = 1.0
"""For how long at most a server may work after its first job."""

WAIT_SECONDS = 120.0
FINAL = {"succeeded", "failed", "canceled"}


def _hand_in(server: RunningServer, numbers: Iterable[int], acknowledged: list[str], tried: threading.Event) -> None:
    """Hand jobs in until the server is gone; only those that it acknowledged count."""
    for number in numbers:
        try:
            acknowledged.append(submit(server, f"{JOB_SECONDS[number % len(JOB_SECONDS)]}"))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return
        tried.set()


def _end_states(server: RunningServer, jobs: list[str]) -> dict[str, str]:
    """Return each job's last state, once all are final or the time is over."""
    deadline, states = time.monotonic() + WAIT_SECONDS, dict[str, str]()
    while time.monotonic() < deadline and len(states) < len(jobs):
        for job in jobs:
            if job not in states and (state := state_of(server, job)) in FINAL:
                states[job] = state
    return states


def _lost(server: RunningServer, jobs: list[str]) -> list[str]:
    """Return the jobs that have not succeeded or have no sound."""
    states = _end_states(server, jobs)
    return [job for job in jobs if states.get(job) != "succeeded" or not server.read(f"{job_path(job)}/audio")]


def _tracks(server: RunningServer) -> int:
    """Count the tracks of the prompt log: one for each job that was done to its end."""
    count, before = 0, ""
    while True:
        page = server.get(f"/api/tracks?limit=100{before}")
        count += len(page["tracks"])
        if not page["next_before"]:
            return count
        before = f"&before={page['next_before']}"


def measure(folder: Path) -> dict[str, float]:
    """Return how many of the jobs were lost."""
    chance, jobs = random.Random(0), list[str]()
    for kill in range(KILLS):
        server, tried = RunningServer(folder), threading.Event()
        left, kills_left = JOBS - len(jobs), KILLS - kill
        numbers = range(len(jobs), len(jobs) + left // kills_left)
        caller = threading.Thread(target=_hand_in, args=(server, numbers, jobs, tried))
        caller.start()
        tried.wait(30)
        time.sleep(chance.uniform(0, LIFE_SECONDS))
        server.kill()
        caller.join()
    with RunningServer(folder) as server:
        _hand_in(server, range(len(jobs), JOBS), jobs, threading.Event())
        lost, tracks = _lost(server, jobs), _tracks(server)
    print(f"kills: {len(jobs)} jobs acknowledged over {KILLS} kills, {len(lost)} lost, {tracks} tracks made")
    if tracks > len(jobs):
        print(f"kills: {tracks - len(jobs)} tracks too many: a job was done twice, or done and never acknowledged")
    return {"jobs_lost": len(lost)}
