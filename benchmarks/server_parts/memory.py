"""What a composer's process holds after an hour of music of every genre."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil

from server_parts.running_server import RunningServer

HOUR_SECONDS, MEGABYTE, PAUSE_SECONDS = 3600, 1e6, 0.05
COMPOSER = "tunesmith.jobs.runners.worker_main"


def measure(folder: Path) -> dict[str, float]:
    """Return the memory of the composer's process between pieces, and at its highest."""
    from tunesmith.composer.genre import genre_names

    genres = sorted(genre_names())
    seconds = HOUR_SECONDS // len(genres) + 1
    with RunningServer(folder, TUNESMITH_COMPOSER_PROCESSES="1") as server, _Peak(server) as peak:
        between = []
        for genre in genres:
            body = {"prompt": f"{genre} music", "genre": genre, "model": "composer", "duration": seconds}
            server.post("/api/generate", body)
            time.sleep(PAUSE_SECONDS)
            between.append(_resident(server))
    made = f"{len(genres)} genres, {len(genres) * seconds} s of music"
    most, last = max(between), between[-1]
    print(f"memory: {made}; between pieces {most:.0f} MB at most, {last:.0f} at the end; highest {peak.most:.0f} MB")
    return {"composer_resident_mb": most, "composer_peak_mb": peak.most}


class _Peak:
    """Watches how much a composer's process holds at most."""

    def __init__(self, server: RunningServer) -> None:
        self.most = 0.0
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self.most = max(self.most, _resident(self._server))


def _resident(server: RunningServer) -> float:
    """Return the memory of the largest composer's process."""
    sizes = [0]
    for process in server.process.children(recursive=True):
        try:
            if COMPOSER in process.cmdline():
                sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(sizes) / MEGABYTE
