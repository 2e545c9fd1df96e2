"""What the server adds to a generator that takes a second and no work, with many callers at once."""

from __future__ import annotations

import asyncio
import time

import numpy as np

from server_parts.connection import Connection
from server_parts.null_generator import MODEL
from server_parts.running_server import RunningServer

CALLERS, CALLS, WAIT_SECONDS = 50, 20, 1.0


async def call(port: int, number: int) -> list[float]:
    """Ask again and again over one connection; return what each answer took beyond the generator's own time, ms.

    The callers begin one after another, spread over a second.
    """
    connection, late = await Connection.open(port), []
    await asyncio.sleep(WAIT_SECONDS * number / CALLERS)
    for _ in range(CALLS):
        began = time.perf_counter()
        answer = await connection.ask("POST", f"/models/{MODEL}", {"inputs": str(WAIT_SECONDS)})
        late.append((time.perf_counter() - began - WAIT_SECONDS) * 1e3)
        if answer.status != 200:
            raise SystemExit(f"status {answer.status}: {answer.body[:200]!r}")
    connection.close()
    return late


async def _all(port: int) -> list[float]:
    times = await asyncio.gather(*(call(port, number) for number in range(CALLERS)))
    return [one for caller in times for one in caller]


def measure(server: RunningServer) -> dict[str, float]:
    """Return the overhead's median and 99th percentile."""
    server.post(f"/models/{MODEL}", {"inputs": "0"})  # load the model
    computed = server.processor_seconds()
    late = asyncio.run(_all(server.port))
    computed = (server.processor_seconds() - computed) / len(late) * 1e3
    p50, p99 = np.percentile(late, [50, 99])
    print(
        f"overhead: {len(late)} calls by {CALLERS} callers, median {p50:.1f} ms, 99 % {p99:.1f}, most {max(late):.1f};"
        f" {computed:.1f} ms of computing each"
    )
    return {"overhead_p50_ms": float(p50), "overhead_p99_ms": float(p99)}
