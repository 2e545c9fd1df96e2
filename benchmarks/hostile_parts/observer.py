"""The observer: asks `/health/live` all the while, and measures memory, disk, log and the event loop's stalls."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from server_parts.running_server import RunningServer

PAUSE_SECONDS = 0.01


class Observer:
    """Looks at a server that keeps its data in a folder and notes its stalls in a file."""

    def __init__(self, server: RunningServer, data: Path, stalls: Path) -> None:
        self._server = server
        self._data = data
        self._stalls = stalls

    @contextmanager
    def asking(self) -> Iterator[list[float]]:
        """Ask `/health/live` on one connection while the block runs; give the seconds that each answer took."""
        seconds, over = list[float](), threading.Event()
        asker = threading.Thread(target=self._ask, args=(seconds, over))
        asker.start()
        try:
            yield seconds
        finally:
            over.set()
            asker.join()

    def sizes(self) -> tuple[int, int, int]:
        """Return the bytes of memory of the server and its runners, of the data folder, and of the log."""
        processes = [self._server.process, *self._server.process.children(recursive=True)]
        memory = 0
        for process in processes:
            try:
                memory += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        disk = sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file())
        return memory, disk, sum(len(line) for line in self._server.log)

    def longest_stall(self, began: float, ended: float) -> float:
        """Return the longest time in ms for which the event loop did nothing else, between two times."""
        lines = [json.loads(line) for line in self._stalls.read_text("utf-8").splitlines() if line.endswith("}")]
        return max((line["late_ms"] for line in lines if began <= line["at"] <= ended), default=0.0)

    def _ask(self, seconds: list[float], over: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        while not over.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            try:
                connection.request("GET", "/health/live")
                connection.getresponse().read()
            except (http.client.HTTPException, OSError):
                connection.close()  # counted all the same; the next request connects anew
            seconds.append(time.perf_counter() - began)
        connection.close()
