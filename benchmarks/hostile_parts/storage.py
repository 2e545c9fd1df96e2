"""What an operator, or an accident, does to the data folder while the server runs."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path

from hostile_parts.requests import count, post, send
from server_parts.running_server import RunningServer

HEAL_SECONDS = 30.0
JOB = {"prompt": "calm piano", "duration": 1}


def remove_results(server: RunningServer, data: Path) -> Counter[str]:
    """Remove ``results/`` while the server runs; music must be made again without a restart."""
    shutil.rmtree(data / "results", ignore_errors=True)
    deadline, statuses = time.monotonic() + HEAL_SECONDS, list[int]()
    while time.monotonic() < deadline and (not statuses or statuses[-1] != 200):
        statuses.append(post(server.port, "/api/generate", JOB))
    return count(statuses)


def damage_database(server: RunningServer, data: Path) -> Counter[str]:
    """Overwrite the database while the server runs; it must say so and not be ready."""
    for path in (data / "tunesmith.db", data / "tunesmith.db-wal"):
        path.write_bytes(b"not a database" * 4096)
    statuses = [post(server.port, "/api/jobs", JOB) for _ in range(3)]
    deadline, ready = time.monotonic() + HEAL_SECONDS, 200
    while time.monotonic() < deadline and ready == 200:
        ready = send(server.port, "GET", "/health/ready")[0]
    return count([*statuses, ready])
