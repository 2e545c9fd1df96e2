"""How late a thousand listeners hear how far a job is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Iterable
from typing import Any

import numpy as np

from server_parts.connection import Connection
from server_parts.jobs import job_path, submit
from server_parts.running_server import RunningServer

CLIENTS, JOBS, SECONDS = 1000, 20, 30
AT_ONCE = 50
"""How many connect at the same time; a listener who comes later hears less, which is not a delay."""


async def listen(connection: Connection, late: list[float], connected_at: float) -> None:
    """Note how long ago each stage began when it was heard of, until the job is done; in milliseconds."""
    heard = set()
    while line := await connection.reader.readline():
        if line.startswith(b"event: done"):  # the connection is kept for other requests
            return
        if not line.startswith(b"data:"):
            continue
        stage = json.loads(line[5:]).get("stage") or ""
        if stage not in heard and stage.replace(".", "").isdigit() and float(stage) > connected_at:
            heard.add(stage)
            late.append((time.time() - float(stage)) * 1e3)


async def _listen_to(port: int, paths: list[str]) -> tuple[int, int, list[float]]:
    late: list[float] = []
    connections = await _in_groups([_begun(port, paths[number % JOBS]) for number in range(CLIENTS)])
    now = time.time()
    listening = [asyncio.create_task(listen(one, late, now)) for one in connections]
    await asyncio.sleep(SECONDS / 2)
    held = sum(not task.done() for task in listening)
    await asyncio.wait_for(asyncio.gather(*listening), SECONDS * 2)
    return held, len(late), late


async def _begun(port: int, path: str) -> Connection:
    connection = await Connection.open(port)
    status = await connection.begin(path)
    if status != 200:
        raise SystemExit(f"{path}: status {status}")
    return connection


async def _in_groups(waiting: Iterable[Awaitable[Any]]) -> list[Any]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(awaitable: Awaitable[Any]) -> Any:
        async with gate:
            return await awaitable

    return await asyncio.gather(*(one(awaitable) for awaitable in waiting))


def measure(server: RunningServer) -> dict[str, float]:
    """Return how many listeners were held half way, and the 99th percentile of their delay."""
    jobs = [submit(server, f"{SECONDS} x{SECONDS}") for _ in range(JOBS)]
    held, heard, late = asyncio.run(_listen_to(server.port, [f"{job_path(job)}/events" for job in jobs]))
    p50, p99 = np.percentile(late, [50, 99])
    print(f"events: {held} listeners to {JOBS} jobs, {heard} events, median {p50:.0f} ms late, 99 % {p99:.0f} ms")
    return {"sse_clients_held": held, "sse_event_delay_p99_ms": float(p99)}
