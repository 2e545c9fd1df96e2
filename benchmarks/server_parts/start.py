"""How soon a server is ready, and what it holds in memory while nobody asks for anything."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from server_parts.running_server import RunningServer

STARTS, IDLE_SECONDS, MEGABYTE = 7, 3.0, 1e6


def measure(folder: Path) -> dict[str, float]:
    """Return the median seconds from the process's start to its first healthy answer, and its memory when idle."""
    RunningServer(folder).stop()  # makes the database; every later start is an ordinary one
    seconds, resident = [], []
    for _ in range(STARTS):
        with RunningServer(folder) as server:
            seconds.append(server.start_to_ready_seconds)
            time.sleep(IDLE_SECONDS / STARTS)
            resident.append(_resident(server))
    with RunningServer(folder) as server:
        time.sleep(IDLE_SECONDS)
        resident.append(_resident(server))
    said = " ".join(f"{one:.2f}" for one in sorted(seconds))
    print(f"start: ready after {said} s; idle with {max(resident):.0f} MB")
    return {"idle_resident_mb": max(resident), "start_to_ready_s": median(seconds)}


def _resident(server: RunningServer) -> float:
    """Return the memory of the server and all of its processes."""
    processes = [server.process, *server.process.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes) / MEGABYTE
