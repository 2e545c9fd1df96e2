"""The longest time for which the server's event loop answers nobody while it has music made.

A process that does nothing but the same watching runs beside it and says how late this machine wakes anyone.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from server_parts import watched_server
from server_parts.clips import compose, compose_for
from server_parts.connection import Connection
from server_parts.jobs import job_path, submit
from server_parts.running_server import RunningServer

SECONDS, PAUSE_SECONDS = 15.0, 0.01
JOBS, STAGES_PER_SECOND, LISTENERS, READERS = 2, 4, 20, 4
CONTROL = """
import asyncio, sys
from server_parts.watched_server import watch
asyncio.run(watch(open(sys.argv[1], "w")))
"""


def measure(folder: Path) -> dict[str, float]:
    """Return the longest stall while clips are made, listened for and asked after."""
    file, control_file = folder / "stalls.jsonl", folder / "control.jsonl"
    variables = {watched_server.FILE_VARIABLE: str(file)}
    with RunningServer(folder, "server_parts.watched_server", **variables) as server:
        compose(server, "calm piano")  # loads the composer
        control = subprocess.Popen([sys.executable, "-c", CONTROL, str(control_file)], cwd=Path(__file__).parents[1])
        try:
            began = time.monotonic()
            _work(server)
            ended = time.monotonic()
        finally:
            control.terminate()
            control.wait()
    late, computed = _stalls(file, began, ended)
    unavoidable, _ = _stalls(control_file, began, ended)
    print(
        f"stalls: at most {late:.0f} ms in {ended - began:.0f} s, {computed:.0f} ms of computing at most;"
        f" an idle loop beside it was up to {unavoidable:.0f} ms late"
    )
    return {"event_loop_max_stall_ms": late}


def _work(server: RunningServer) -> None:
    """Have clips made while others listen to jobs and read them all the time."""
    paths = [job_path(submit(server, f"600 x{600 * STAGES_PER_SECOND}")) for _ in range(JOBS)]
    asyncio.run(_work_and_follow(server, paths))


async def _work_and_follow(server: RunningServer, paths: list[str]) -> None:
    followers = [asyncio.create_task(_listen(server.port, paths[number % JOBS])) for number in range(LISTENERS)]
    followers += [asyncio.create_task(_read(server.port, paths[number % JOBS])) for number in range(READERS)]
    await asyncio.to_thread(compose_for, server, SECONDS)
    for follower in followers:
        follower.cancel()
    ended = await asyncio.gather(*followers, return_exceptions=True)
    for end in ended:
        if not isinstance(end, asyncio.CancelledError):
            raise SystemExit(f"a follower ended early: {end!r}")


async def _listen(port: int, path: str) -> None:
    """Read a job's events."""
    connection = await Connection.open(port)
    await connection.begin(f"{path}/events")
    while await connection.reader.readline():
        pass


async def _read(port: int, path: str) -> None:
    """Ask after a job a hundred times a second."""
    connection = await Connection.open(port)
    while (await connection.ask("GET", path)).status == 200:
        await asyncio.sleep(PAUSE_SECONDS)


def _stalls(file: Path, began: float, ended: float) -> tuple[float, float]:
    """Return the longest delay, and the most computing during one."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    within = [line for line in lines if began <= line["at"] <= ended]
    return (
        max((line["late_ms"] for line in within), default=0.0),
        max((line["computed_ms"] for line in within), default=0.0),
    )
